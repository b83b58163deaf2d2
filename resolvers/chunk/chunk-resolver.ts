import { Args, ArgsType, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { compileChunkFilters } from '../../src/filters/filters.ts';
import type { Match } from '../../src/search/matches.ts';
import { searchNear, similarTo } from '../../src/search/similar.ts';
import { chunkList, readChunks } from '../../src/store/chunks.ts';
import { readPage } from '../../src/store/pages.ts';
import type { ChunkRow, DocumentRow } from '../../src/store/rows.ts';
import { IdArg, listArgumentsOf, searchArgumentsOf, similarArgumentsOf } from '../common/arguments.ts';
import { EmbeddingField } from '../common/embedded.ts';
import { ReportAs } from '../common/search-report.ts';
import type { Context } from '../context.ts';
import { Document } from '../document/document.ts';
import { ChunkFilters } from '../filters/chunk-filters.ts';
import { Chunk, ChunkConnection, ChunkMatch, ChunkOrder } from './chunk.ts';

@ArgsType()
class ChunkListArguments extends listArgumentsOf('chunks', ChunkFilters, ChunkOrder, 'by id') {}

@ArgsType()
class ChunkSearchArguments extends searchArgumentsOf('chunks', ChunkFilters) {}

@ArgsType()
class ChunkSimilarArguments extends similarArgumentsOf('chunks', ChunkFilters) {}

const toChunkMatch = ({ row, ...scores }: Match<ChunkRow>): ChunkMatch => ({ chunk: row, ...scores });

@Resolver(() => Chunk)
export class ChunkResolver {
  @Query(() => Chunk, { nullable: true, description: 'The chunk with this id; null when there is none.' })
  async chunk(@IdArg() id: string, @Ctx() { services, viewer }: Context): Promise<Chunk | null> {
    const [row] = await readChunks(services.database, viewer, [id]);
    return row ?? null;
  }

  @Query(() => ChunkConnection, { description: 'All chunks that pass the filters, a page at a time.' })
  async chunks(
    @Args(() => ChunkListArguments) { filters, first, after, orderBy }: ChunkListArguments,
    @Ctx() { services, viewer }: Context,
  ) {
    return readPage(services.database, viewer, chunkList, compileChunkFilters(filters), {
      first,
      after,
      orderBy: orderBy ?? new ChunkOrder(),
    });
  }

  @Query(() => [ChunkMatch], {
    description: 'The chunks nearest to a text, to a vector or to examples, nearest first.',
  })
  async similarChunks(
    @Args(() => ChunkSearchArguments) args: ChunkSearchArguments,
    @ReportAs() reportAs: string | undefined,
    @Ctx() { loaders }: Context,
  ): Promise<ChunkMatch[]> {
    const matches = await searchNear(loaders.similarChunks, args, { ...args, reportAs });
    return matches.map(toChunkMatch);
  }

  @FieldResolver(() => [ChunkMatch], {
    description:
      'Chunks near to `text`, or without `text` near to this chunk, nearest first; never this chunk itself.',
  })
  async similar(
    @Root() chunk: Chunk,
    @Args(() => ChunkSimilarArguments) { text, ...search }: ChunkSimilarArguments,
    @ReportAs() reportAs: string | undefined,
    @Ctx() { loaders }: Context,
  ): Promise<ChunkMatch[]> {
    const matches = await similarTo(loaders.similarChunks, chunk, text, { ...search, reportAs });
    return matches.map(toChunkMatch);
  }

  @EmbeddingField()
  async embedding(@Root() chunk: Chunk, @Ctx() { loaders }: Context): Promise<Float32Array | null> {
    return loaders.chunkEmbeddings.load(chunk.id);
  }

  @FieldResolver(() => Document, { description: 'The document it is a piece of.' })
  async document(@Root() chunk: Chunk, @Ctx() { loaders }: Context): Promise<DocumentRow | null> {
    return loaders.documents.load(chunk.documentId);
  }

  @FieldResolver(() => Chunk, {
    nullable: true,
    description: 'The chunk before it in the document; null for the first.',
  })
  async previous(@Root() chunk: Chunk, @Ctx() { loaders }: Context): Promise<ChunkRow | null> {
    if (chunk.chunkIndex === 0) return null;
    return loaders.chunksAt.load({ documentId: chunk.documentId, chunkIndex: chunk.chunkIndex - 1 });
  }

  @FieldResolver(() => Chunk, {
    nullable: true,
    description: 'The chunk after it in the document; null for the last.',
  })
  async next(@Root() chunk: Chunk, @Ctx() { loaders }: Context): Promise<ChunkRow | null> {
    if (chunk.chunkIndex === chunk.totalChunks - 1) return null;
    return loaders.chunksAt.load({ documentId: chunk.documentId, chunkIndex: chunk.chunkIndex + 1 });
  }
}
