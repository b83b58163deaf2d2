import { GraphQLBoolean, GraphQLFloat, GraphQLString } from 'graphql';
import { Arg, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { compileToolFilters } from '../../src/filters/filters.ts';
import { limits } from '../../src/input/limits.ts';
import type { Match } from '../../src/search/matches.ts';
import { searchNear, similarTo } from '../../src/search/similar.ts';
import { readPage } from '../../src/store/pages.ts';
import type { ToolRow } from '../../src/store/rows.ts';
import { deleteTool, readTool, recordToolUse, registerTools, toolList } from '../../src/store/tools.ts';
import {
  AfterArg,
  AfterMatchArg,
  FirstArg,
  KArg,
  LikeArg,
  OptionsArg,
  ReportAs,
  SimilarTextArg,
  TextArg,
  UnlikeArg,
  VectorArg,
} from '../common/arguments.ts';
import type { SearchOptions } from '../common/search-options.ts';
import type { Context } from '../context.ts';
import { ToolFilters } from '../filters/tool-filters.ts';
import { RegisterToolInput, Tool, ToolConnection, ToolMatch, ToolOrder } from './tool.ts';

const FiltersArg = () => Arg('filters', () => ToolFilters, { nullable: true, description: 'Which tools.' });
const NameArg = () => Arg('name', () => GraphQLString, { description: 'The name of the tool.' });

const toToolMatch = ({ row, ...scores }: Match<ToolRow>): ToolMatch => ({ tool: row, ...scores });

@Resolver(() => Tool)
export class ToolResolver {
  @Query(() => Tool, { nullable: true, description: 'The tool with this name; null when there is none.' })
  async tool(@NameArg() name: string, @Ctx() { services, viewer }: Context): Promise<Tool | null> {
    return (await readTool(services.database, viewer, name)) ?? null;
  }

  @Query(() => ToolConnection, { description: 'All tools that pass the filters, a page at a time, by name.' })
  async tools(
    @FirstArg() first: number,
    @AfterArg() after: string | null | undefined,
    @FiltersArg() filters: ToolFilters | undefined,
    @Arg('orderBy', () => ToolOrder, {
      nullable: true,
      description: 'The order of the list; by name unless told.',
    })
    orderBy: InstanceType<typeof ToolOrder> | undefined,
    @Ctx() { services, viewer }: Context,
  ) {
    return readPage(services.database, viewer, toolList, compileToolFilters(filters), {
      first,
      after,
      orderBy: orderBy ?? { field: 'TOOL_NAME', direction: 'ASC' },
    });
  }

  @Query(() => [ToolMatch], {
    description: 'The tools nearest to a text, to a vector or to examples, nearest first.',
  })
  async similarTools(
    @TextArg() text: string | undefined,
    @VectorArg() vector: number[] | undefined,
    @LikeArg() like: string[] | undefined,
    @UnlikeArg() unlike: string[] | undefined,
    @KArg() k: number,
    @FiltersArg() filters: ToolFilters | undefined,
    @OptionsArg() options: SearchOptions | undefined,
    @AfterMatchArg() after: string | null | undefined,
    @ReportAs() reportAs: string | undefined,
    @Ctx() { loaders }: Context,
  ): Promise<ToolMatch[]> {
    const matches = await searchNear(
      loaders.similarTools,
      { text, vector, like, unlike },
      { k, filters, options, after, reportAs },
    );
    return matches.map(toToolMatch);
  }

  @FieldResolver(() => [ToolMatch], {
    description:
      'Tools near to `text`, or without `text` near to this tool, nearest first; never this tool itself.',
  })
  async similar(
    @Root() tool: Tool,
    @SimilarTextArg() text: string | undefined,
    @KArg() k: number,
    @FiltersArg() filters: ToolFilters | undefined,
    @OptionsArg() options: SearchOptions | undefined,
    @ReportAs() reportAs: string | undefined,
    @Ctx() { loaders }: Context,
  ): Promise<ToolMatch[]> {
    const matches = await similarTo(loaders.similarTools, tool, text, { k, filters, options, reportAs });
    return matches.map(toToolMatch);
  }

  @FieldResolver(() => [GraphQLFloat], {
    nullable: true,
    description:
      'The embedding, 384 numbers; null while PENDING. Read from the database only when asked for.',
  })
  async embedding(@Root() tool: Tool, @Ctx() { loaders }: Context): Promise<Float32Array | null> {
    return loaders.toolEmbeddings.load(tool.id);
  }

  @Mutation(() => [Tool], {
    description:
      'Registers tools, all of them or none, and returns them in input order. If a name is taken, its tool gets the new ' +
      'description and parameters, and keeps its id and usage.',
  })
  async registerTools(
    @Arg('inputs', () => [RegisterToolInput], {
      description: `The tools, up to ${limits.batchSize}, each name once.`,
    })
    inputs: RegisterToolInput[],
    @Ctx() { services, viewer }: Context,
  ): Promise<Tool[]> {
    return registerTools(services, viewer, inputs);
  }

  @Mutation(() => Tool, { description: 'Counts one use of a tool, now.' })
  async recordToolUse(@NameArg() name: string, @Ctx() { services, viewer }: Context): Promise<Tool> {
    return recordToolUse(services, viewer, name);
  }

  @Mutation(() => GraphQLBoolean, {
    description: 'Deletes a tool; false when there was none with this name.',
  })
  async deleteTool(@NameArg() name: string, @Ctx() { services, viewer }: Context): Promise<boolean> {
    return deleteTool(services, viewer, name);
  }
}
