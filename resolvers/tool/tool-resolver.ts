import { GraphQLBoolean, GraphQLString } from 'graphql';
import { Arg, Args, ArgsType, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { compileToolFilters } from '../../src/filters/filters.ts';
import { limits } from '../../src/input/limits.ts';
import type { Match } from '../../src/search/matches.ts';
import { searchNear, similarTo } from '../../src/search/similar.ts';
import { readPage } from '../../src/store/pages.ts';
import type { ToolRow } from '../../src/store/rows.ts';
import { deleteTool, readTool, recordToolUse, registerTools, toolList } from '../../src/store/tools.ts';
import { listArgumentsOf, searchArgumentsOf, similarArgumentsOf } from '../common/arguments.ts';
import { EmbeddingField } from '../common/embedded.ts';
import { ReportAs } from '../common/search-report.ts';
import { WaitArg } from '../common/wait.ts';
import type { Context } from '../context.ts';
import { ToolFilters } from '../filters/tool-filters.ts';
import { Tool, ToolConnection, ToolMatch, ToolOrder } from './tool.ts';
import { RegisterToolInput } from './tool-inputs.ts';

@ArgsType()
class ToolListArguments extends listArgumentsOf('tools', ToolFilters, ToolOrder, 'by name') {}

@ArgsType()
class ToolSearchArguments extends searchArgumentsOf('tools', ToolFilters) {}

@ArgsType()
class ToolSimilarArguments extends similarArgumentsOf('tools', ToolFilters) {}
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
    @Args(() => ToolListArguments) { filters, first, after, orderBy }: ToolListArguments,
    @Ctx() { services, viewer }: Context,
  ) {
    return readPage(services.database, viewer, toolList, compileToolFilters(filters), {
      first,
      after,
      orderBy: orderBy ?? new ToolOrder(),
    });
  }

  @Query(() => [ToolMatch], {
    description: 'The tools nearest to a text, to a vector or to examples, nearest first.',
  })
  async similarTools(
    @Args(() => ToolSearchArguments) args: ToolSearchArguments,
    @ReportAs() reportAs: string | undefined,
    @Ctx() { loaders }: Context,
  ): Promise<ToolMatch[]> {
    const matches = await searchNear(loaders.similarTools, args, { ...args, reportAs });
    return matches.map(toToolMatch);
  }

  @FieldResolver(() => [ToolMatch], {
    description:
      'Tools near to `text`, or without `text` near to this tool, nearest first; never this tool itself.',
  })
  async similar(
    @Root() tool: Tool,
    @Args(() => ToolSimilarArguments) { text, ...search }: ToolSimilarArguments,
    @ReportAs() reportAs: string | undefined,
    @Ctx() { loaders }: Context,
  ): Promise<ToolMatch[]> {
    const matches = await similarTo(loaders.similarTools, tool, text, { ...search, reportAs });
    return matches.map(toToolMatch);
  }

  @EmbeddingField()
  async embedding(@Root() tool: Tool, @Ctx() { loaders }: Context): Promise<Float32Array | null> {
    return loaders.toolEmbeddings.load(tool.id);
  }

  @Mutation(() => [Tool], {
    description:
      'Registers tools, all of them or none, and returns them in input order. If a name is taken, its tool gets the new ' +
      'description and parameters, and keeps its id and usage. A tool that is as it was stays untouched.',
  })
  async registerTools(
    @Arg('inputs', () => [RegisterToolInput], {
      description: `The tools, up to ${limits.batchSize}, each name once.`,
    })
    inputs: RegisterToolInput[],
    @WaitArg() wait: boolean,
    @Ctx() { services, viewer }: Context,
  ): Promise<Tool[]> {
    return registerTools(services, viewer, inputs, wait);
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
