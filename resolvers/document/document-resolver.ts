import { GraphQLBoolean, GraphQLInt, GraphQLString } from 'graphql';
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
import {
  EmbeddingStatus,
  type EmbeddingStatus as EmbeddingStatusName,
} from '../../src/filters/conditions.ts';
import { compileDocumentFilters } from '../../src/filters/filters.ts';
import { ingestDocument, replaceDocument } from '../../src/ingest/ingest.ts';
import { limits } from '../../src/input/limits.ts';
import type { DocumentMatch as FoundDocument } from '../../src/search/searches.ts';
import { searchNear, similarTo } from '../../src/search/similar.ts';
import { parseDocumentChunksRequest, parseDocumentTextRequest } from '../../src/store/chunks.ts';
import { deleteDocumentsWhere } from '../../src/store/delete-where.ts';
import { deleteDocument, documentList, readDocuments } from '../../src/store/documents.ts';
import { readPage } from '../../src/store/pages.ts';
import { ChunkConnection } from '../chunk/chunk.ts';
import {
  IdArg,
  listArgumentsOf,
  PageArguments,
  searchArgumentsOf,
  similarArgumentsOf,
  whereArgumentsOf,
} from '../common/arguments.ts';
import { ReportAs } from '../common/search-report.ts';
import { WaitArg } from '../common/wait.ts';
import type { Context } from '../context.ts';
import { DocumentFilters } from '../filters/document-filters.ts';
import {
  DeletedDocuments,
  Document,
  DocumentConnection,
  DocumentMatch,
  DocumentOrder,
  IngestDocumentPayload,
} from './document.ts';
import { IngestDocumentInput, ReplaceBy, UpdateDocumentInput } from './document-inputs.ts';

@ArgsType()
class DocumentListArguments extends listArgumentsOf(
  'documents',
  DocumentFilters,
  DocumentOrder,
  'newest first',
) {}

@ArgsType()
class DocumentWhereArguments extends whereArgumentsOf('documents', DocumentFilters) {}

@ArgsType()
class TextArguments {
  @Field(() => GraphQLInt, {
    defaultValue: 0,
    description:
      "Where the part begins, in UTF-16 code units (JavaScript's `slice`), as startOffset of a chunk is.",
  })
  offset!: number;

  @Field(() => GraphQLInt, {
    defaultValue: limits.usualTextPartLength,
    description: `The longest part to return, 0 to ${limits.textPartLength} UTF-16 code units.`,
  })
  limit!: number;
}

@ArgsType()
class DocumentSearchArguments extends searchArgumentsOf('documents', DocumentFilters) {}

@ArgsType()
class DocumentSimilarArguments extends similarArgumentsOf('documents', DocumentFilters) {}

const toDocumentMatch = ({ row, ...match }: FoundDocument): DocumentMatch => ({ document: row, ...match });

@Resolver(() => Document)
export class DocumentResolver {
  @Query(() => Document, {
    nullable: true,
    description: 'The document with this id; null when there is none.',
  })
  async document(@IdArg() id: string, @Ctx() { services, viewer }: Context): Promise<Document | null> {
    const [row] = await readDocuments(services.database, viewer, [id]);
    return row ?? null;
  }

  @Query(() => DocumentConnection, {
    description: 'All documents that pass the filters, a page at a time, newest first.',
  })
  async documents(
    @Args(() => DocumentListArguments) { filters, first, after, orderBy }: DocumentListArguments,
    @Ctx() { services, viewer }: Context,
  ) {
    return readPage(services.database, viewer, documentList, compileDocumentFilters(filters), {
      first,
      after,
      orderBy: orderBy ?? new DocumentOrder(),
    });
  }

  @Query(() => [DocumentMatch], {
    description:
      'The documents nearest to a text, to a vector or to examples, nearest first. A document is as near to a text or a vector ' +
      'as its best chunk, and to examples as the mean of its chunks.',
  })
  async similarDocuments(
    @Args(() => DocumentSearchArguments) args: DocumentSearchArguments,
    @ReportAs() reportAs: string | undefined,
    @Ctx() { loaders }: Context,
  ): Promise<DocumentMatch[]> {
    const matches = await searchNear(loaders.similarDocuments, args, { ...args, reportAs });
    return matches.map(toDocumentMatch);
  }

  @FieldResolver(() => [DocumentMatch], {
    description:
      'Documents near to `text` by their best chunk. Without `text`, documents near to this one by the mean of their chunks, ' +
      'or in KEYWORD and HYBRID by their best chunk, which is compared with the mean and the words of ' +
      'this document. Nearest first, never this document itself.',
  })
  async similar(
    @Root() document: Document,
    @Args(() => DocumentSimilarArguments) { text, ...search }: DocumentSimilarArguments,
    @ReportAs() reportAs: string | undefined,
    @Ctx() { loaders }: Context,
  ): Promise<DocumentMatch[]> {
    const matches = await similarTo(loaders.similarDocuments, document, text, { ...search, reportAs });
    return matches.map(toDocumentMatch);
  }

  @FieldResolver(() => EmbeddingStatus, {
    description:
      'Whether it can be found by meaning already: PENDING while one of its chunks is; then FAILED or STALE if one of them is, else ' +
      'READY.',
  })
  async embeddingStatus(
    @Root() document: Document,
    @Ctx() { loaders }: Context,
  ): Promise<EmbeddingStatusName> {
    return loaders.documentStatuses.load(document.id);
  }

  @FieldResolver(() => ChunkConnection, {
    description: "Its chunks in the document's order, a page at a time.",
  })
  async chunks(
    @Root() document: Document,
    @Args(() => PageArguments) { first, after }: PageArguments,
    @Ctx() { loaders }: Context,
  ) {
    const page = await loaders.chunkPages.load(parseDocumentChunksRequest(document.id, first, after));
    return { ...page, totalCount: document.totalChunks };
  }

  @FieldResolver(() => GraphQLString, {
    description:
      'A part of the text that was cut into its chunks: for formats with markup, what was extracted from the file. The parts that ' +
      'follow each other join to the text. A part never begins or ends inside a character of two units, but before it.',
  })
  async text(
    @Root() document: Document,
    @Args(() => TextArguments) { offset, limit }: TextArguments,
    @Ctx() { loaders }: Context,
  ): Promise<string> {
    return loaders.documentTexts.load(parseDocumentTextRequest(document.id, offset, limit));
  }

  @Mutation(() => IngestDocumentPayload, {
    description:
      'Stores a document and its chunks, all or nothing. If the user has a document of the same bytes, nothing changes, and ' +
      'that document is returned with the names of the fields that differ. With `replace`, a changed file replaces its document.',
  })
  async ingestDocument(
    @Arg('input', () => IngestDocumentInput, { description: 'The document.' }) input: IngestDocumentInput,
    @WaitArg() wait: boolean,
    @Arg('replace', () => ReplaceBy, {
      defaultValue: 'NONE',
      description: 'Which document of the user this one replaces, if there is one.',
    })
    replace: ReplaceBy,
    @Ctx() { services, viewer }: Context,
  ): Promise<IngestDocumentPayload> {
    const { document, outcome, differs } = await ingestDocument(services, viewer, input, { wait, replace });
    return { document, outcome, created: outcome === 'CREATED', differs, chunkCount: document.totalChunks };
  }

  @Mutation(() => Document, {
    description:
      'Changes a document. New text replaces all its chunks, of which only those are embedded whose text is new.',
  })
  async updateDocument(
    @IdArg() id: string,
    @Arg('input', () => UpdateDocumentInput, { description: 'What to change.' }) input: UpdateDocumentInput,
    @WaitArg() wait: boolean,
    @Ctx() { services, viewer }: Context,
  ): Promise<Document> {
    return replaceDocument(services, viewer, id, input, wait);
  }

  @Mutation(() => GraphQLBoolean, {
    description: 'Deletes a document with its chunks; false when there was none with this id.',
  })
  async deleteDocument(@IdArg() id: string, @Ctx() { services, viewer }: Context): Promise<boolean> {
    return deleteDocument(services.database, viewer, id);
  }

  @Mutation(() => DeletedDocuments, {
    description:
      'Deletes all documents that pass the filters, with their chunks. By default it is a dry run, which changes nothing.',
  })
  async deleteDocumentsWhere(
    @Args(() => DocumentWhereArguments) request: DocumentWhereArguments,
    @Ctx() { services, viewer }: Context,
  ): Promise<DeletedDocuments> {
    return deleteDocumentsWhere(services, viewer, request);
  }
}
