import { GraphQLBoolean, GraphQLInt } from 'graphql';
import {
  Arg,
  Args,
  ArgsType,
  Ctx,
  Field,
  FieldResolver,
  Mutation,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import { compileMemoryFilters } from '../../src/filters/filters.ts';
import { limits } from '../../src/input/limits.ts';
import type { Match } from '../../src/search/matches.ts';
import { searchNear, similarTo } from '../../src/search/similar.ts';
import { deleteMemoriesWhere } from '../../src/store/delete-where.ts';
import {
  createMemories,
  deleteMemories,
  memoryList,
  readMemories,
  updateMemory,
} from '../../src/store/memories.ts';
import {
  archivedMemoryList,
  archiveMemories,
  restoreMemories,
  restoreMemoriesWhere,
} from '../../src/store/memory-archive.ts';
import { readPage } from '../../src/store/pages.ts';
import type { MemoryRow } from '../../src/store/rows.ts';
import {
  IdArg,
  IdsArg,
  listArgumentsOf,
  searchArgumentsOf,
  similarArgumentsOf,
  whereArgumentsOf,
} from '../common/arguments.ts';
import { EmbeddingField } from '../common/embedded.ts';
import { ReportAs } from '../common/search-report.ts';
import { WaitArg } from '../common/wait.ts';
import type { Context } from '../context.ts';
import { MemoryFilters } from '../filters/memory-filters.ts';
import {
  ArchivedMemoryOrder,
  ArchivePayload,
  DeletedMemories,
  Memory,
  MemoryConnection,
  MemoryMatch,
  MemoryOrder,
  RestoredMemories,
} from './memory.ts';
import { ArchiveMemoriesInput, CreateMemoryInput, UpdateMemoryInput } from './memory-inputs.ts';

@ArgsType()
class MemoryListArguments extends listArgumentsOf('memories', MemoryFilters, MemoryOrder, 'newest first') {}

@ArgsType()
class ArchivedMemoryListArguments extends listArgumentsOf(
  'archived memories',
  MemoryFilters,
  ArchivedMemoryOrder,
  'last archived first',
) {}

@ArgsType()
class MemoryWhereArguments extends whereArgumentsOf('memories', MemoryFilters) {}

@ArgsType()
class DeleteMemoriesWhereArguments extends MemoryWhereArguments {
  @Field(() => GraphQLBoolean, {
    defaultValue: false,
    description: 'False for live memories, true for those in the archive.',
  })
  archived!: boolean;
}

@ArgsType()
class MemorySearchArguments extends searchArgumentsOf('memories', MemoryFilters) {}

@ArgsType()
class MemorySimilarArguments extends similarArgumentsOf('memories', MemoryFilters) {}

const toMemoryMatch = ({ row, ...scores }: Match<MemoryRow>): MemoryMatch => ({ memory: row, ...scores });

@Resolver(() => Memory)
export class MemoryResolver {
  @Query(() => Memory, { nullable: true, description: 'The memory with this id; null when there is none.' })
  async memory(@IdArg() id: string, @Ctx() { services, viewer }: Context): Promise<Memory | null> {
    const [row] = await readMemories(services.database, viewer, [id]);
    return row ?? null;
  }

  @Query(() => MemoryConnection, {
    description: 'All memories that pass the filters, a page at a time, newest first.',
  })
  async memories(
    @Args(() => MemoryListArguments) { filters, first, after, orderBy }: MemoryListArguments,
    @Ctx() { services, viewer }: Context,
  ) {
    return readPage(services.database, viewer, memoryList, compileMemoryFilters(filters), {
      first,
      after,
      orderBy: orderBy ?? new MemoryOrder(),
    });
  }

  @Query(() => MemoryConnection, {
    description: 'All archived memories that pass the filters, a page at a time, last archived first.',
  })
  async archivedMemories(
    @Args(() => ArchivedMemoryListArguments)
    { filters, first, after, orderBy }: ArchivedMemoryListArguments,
    @Ctx() { services, viewer }: Context,
  ) {
    return readPage(services.database, viewer, archivedMemoryList, compileMemoryFilters(filters), {
      first,
      after,
      orderBy: orderBy ?? new ArchivedMemoryOrder(),
    });
  }

  @Query(() => [MemoryMatch], {
    description: 'The memories nearest to a text, to a vector or to examples, nearest first.',
  })
  async similarMemories(
    @Args(() => MemorySearchArguments) args: MemorySearchArguments,
    @ReportAs() reportAs: string | undefined,
    @Ctx() { loaders }: Context,
  ): Promise<MemoryMatch[]> {
    const matches = await searchNear(loaders.similarMemories, args, { ...args, reportAs });
    return matches.map(toMemoryMatch);
  }

  @FieldResolver(() => [MemoryMatch], {
    description:
      'Memories near to `text`, or without `text` near to this memory, nearest first; never this memory itself.',
  })
  async similar(
    @Root() memory: Memory,
    @Args(() => MemorySimilarArguments) { text, ...search }: MemorySimilarArguments,
    @ReportAs() reportAs: string | undefined,
    @Ctx() { loaders }: Context,
  ): Promise<MemoryMatch[]> {
    const matches = await similarTo(loaders.similarMemories, memory, text, { ...search, reportAs });
    return matches.map(toMemoryMatch);
  }

  @EmbeddingField()
  async embedding(@Root() memory: Memory, @Ctx() { loaders }: Context): Promise<Float32Array | null> {
    return loaders.memoryEmbeddings.load(memory.id);
  }

  @Mutation(() => Memory, { description: 'Stores a memory.' })
  async createMemory(
    @Arg('input', () => CreateMemoryInput, { description: 'The memory.' }) input: CreateMemoryInput,
    @WaitArg() wait: boolean,
    @Ctx() { services, viewer }: Context,
  ): Promise<Memory | undefined> {
    const [memory] = await createMemories(services, viewer, [input], { inputPathOf: () => 'input', wait });
    return memory;
  }

  @Mutation(() => [Memory], {
    description: 'Stores memories, all of them or none, and returns them in input order.',
  })
  async createMemories(
    @Arg('inputs', () => [CreateMemoryInput], { description: `The memories, up to ${limits.batchSize}.` })
    inputs: CreateMemoryInput[],
    @WaitArg() wait: boolean,
    @Ctx() { services, viewer }: Context,
  ): Promise<Memory[]> {
    return createMemories(services, viewer, inputs, { wait });
  }

  @Mutation(() => Memory, { description: 'Changes a memory, and embeds it anew when its content changes.' })
  async updateMemory(
    @IdArg() id: string,
    @Arg('input', () => UpdateMemoryInput, { description: 'What to change.' }) input: UpdateMemoryInput,
    @WaitArg() wait: boolean,
    @Ctx() { services, viewer }: Context,
  ): Promise<Memory> {
    return updateMemory(services, viewer, id, input, wait);
  }

  @Mutation(() => GraphQLBoolean, {
    description: 'Deletes a memory, also from the archive; false when there was none with this id.',
  })
  async deleteMemory(@IdArg() id: string, @Ctx() { services, viewer }: Context): Promise<boolean> {
    return (await deleteMemories(services, viewer, [id], () => 'id')) > 0;
  }

  @Mutation(() => GraphQLInt, {
    description: 'Deletes memories, also from the archive, and returns how many there were.',
  })
  async deleteMemories(@IdsArg() ids: string[], @Ctx() { services, viewer }: Context): Promise<number> {
    return deleteMemories(services, viewer, ids);
  }

  @Mutation(() => DeletedMemories, {
    description:
      'Deletes all memories that pass the filters: live ones, or with `archived` those in the archive. By default it is a dry ' +
      'run, which changes nothing.',
  })
  async deleteMemoriesWhere(
    @Args(() => DeleteMemoriesWhereArguments) request: DeleteMemoriesWhereArguments,
    @Ctx() { services, viewer }: Context,
  ): Promise<DeletedMemories> {
    return deleteMemoriesWhere(services, viewer, request);
  }

  @Mutation(() => ArchivePayload, {
    description:
      'Moves memories into the archive, where no lookup, list or search finds them. restoreMemories brings them back. By ' +
      'default it is a dry run, which changes nothing.',
  })
  async archiveMemories(
    @Arg('input', () => ArchiveMemoriesInput, { description: 'Which memories.' }) input: ArchiveMemoriesInput,
    @Ctx() { services, viewer }: Context,
  ): Promise<ArchivePayload> {
    return archiveMemories(services, viewer, input);
  }

  @Mutation(() => GraphQLInt, {
    description:
      'Brings archived memories back as they were, all of them or none, and returns how many were in the archive. It is a ' +
      'CONFLICT if a memory that was stored meanwhile has the idempotencyKey of one of them.',
  })
  async restoreMemories(@IdsArg() ids: string[], @Ctx() { services, viewer }: Context): Promise<number> {
    return restoreMemories(services, viewer, ids);
  }

  @Mutation(() => RestoredMemories, {
    description:
      'Brings all archived memories back that pass the filters, all of them or none; a CONFLICT as of restoreMemories. By ' +
      'default it is a dry run, which changes nothing.',
  })
  async restoreMemoriesWhere(
    @Args(() => MemoryWhereArguments) request: MemoryWhereArguments,
    @Ctx() { services, viewer }: Context,
  ): Promise<RestoredMemories> {
    return restoreMemoriesWhere(services, viewer, request);
  }
}
