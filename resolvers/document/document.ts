import { GraphQLBoolean, GraphQLFloat, GraphQLID, GraphQLInt, GraphQLString } from 'graphql';
import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ObjectType } from 'type-graphql';
import { documentFormats } from '../../src/ingest/formats.ts';
import type { IngestOutcome as IngestOutcomeName } from '../../src/ingest/ingest.ts';
import { type Deleted, deletedSampleSize } from '../../src/store/delete-where.ts';
import type { DocumentRow } from '../../src/store/rows.ts';
import { Chunk } from '../chunk/chunk.ts';
import { connectionOf, orderOf } from '../common/connection.ts';
import { enumOf } from '../common/enum.ts';
import { GraphQLJSONObject } from '../common/json-object.ts';
import { Scores } from '../common/match.ts';

/** The fields that are read with the row. document-resolver.ts adds `similar`, `chunks` and `text`. */
@ObjectType({ simpleResolvers: true, description: 'A source text, cut into chunks.' })
export class Document implements DocumentRow {
  @Field(() => GraphQLID, { description: 'Identifies the document; a whole number in decimal digits.' })
  id!: string;

  @Field(() => GraphQLString, { description: 'The user it belongs to.' })
  userId!: string;

  @Field(() => GraphQLString, { description: 'The name of the file it came from.' })
  filename!: string;

  @Field(() => GraphQLString, {
    nullable: true,
    description: 'The path of that file, if the application gave one.',
  })
  filePath!: string | null;

  @Field(() => GraphQLString, {
    nullable: true,
    description: `The format of its file: ${documentFormats.map(({ name }) => name).join(', ')}.`,
  })
  fileType!: string | null;

  // A Float, because a GraphQL Int ends at 2 GB.
  @Field(() => GraphQLFloat, { nullable: true, description: 'Its size in bytes.' })
  fileSize!: number | null;

  @Field(() => GraphQLString, { description: 'SHA-256 of its bytes in hexadecimal; unique per user.' })
  contentHash!: string;

  @Field(() => GraphQLInt, { description: 'How many chunks it was cut into.' })
  totalChunks!: number;

  @Field(() => GraphQLDateTime, {
    description: 'When it was made (UTC): what the application said, otherwise when it was stored.',
  })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, { description: 'When it was cut into its chunks (UTC).' })
  processedAt!: Date;

  @Field(() => GraphQLDateTime, { description: 'When it last changed (UTC).' })
  updatedAt!: Date;

  @Field(() => GraphQLJSONObject, { description: 'What else the application keeps with it.' })
  metadata!: Record<string, unknown>;
}

@ObjectType({ simpleResolvers: true, description: 'A document that a search found.' })
export class DocumentMatch extends Scores {
  @Field(() => Document, { description: 'The document.' })
  document!: Document;

  @Field(() => Chunk, { description: 'The chunk of it that is nearest.' })
  chunk!: Chunk;
}

@ObjectType({
  simpleResolvers: true,
  description: 'What deleteDocumentsWhere did, or in a dry run would do.',
})
export class DeletedDocuments implements Deleted<DocumentRow> {
  @Field(() => GraphQLInt, { description: 'How many documents.' })
  count!: number;

  @Field(() => [Document], {
    description: `Up to ${deletedSampleSize} of them, oldest first, as they were before. Deleted ones have no chunks here.`,
  })
  sample!: Document[];
}

const IngestOutcome = enumOf<IngestOutcomeName>('IngestOutcome', 'What became of a document that was sent.', {
  CREATED: 'It was stored as a new document.',
  REPLACED: 'What was sent of it replaced what the stored document had.',
  UNCHANGED: 'Nothing was written, because the user has a document of the same bytes.',
});

@ObjectType({ simpleResolvers: true, description: 'What ingestDocument did.' })
export class IngestDocumentPayload {
  @Field(() => Document, { description: 'The document.' })
  document!: Document;

  @Field(() => GraphQLBoolean, {
    description: 'Whether it is a new document: `outcome` is CREATED.',
  })
  created!: boolean;

  @Field(() => IngestOutcome, { description: 'What became of the document.' })
  outcome!: IngestOutcomeName;

  @Field(() => GraphQLInt, { description: 'How many chunks the document has.' })
  chunkCount!: number;

  @Field(() => [GraphQLString], {
    description:
      'If it is UNCHANGED: the fields that you sent whose stored values are others, such as "filename". Use updateDocument to ' +
      'change them.',
  })
  differs!: string[];
}

export const DocumentConnection = connectionOf('Document', 'documents', () => Document);

export const DocumentOrder = orderOf(
  'Document',
  {
    CREATED_AT: 'When it was made.',
    PROCESSED_AT: 'When it was cut into its chunks.',
    UPDATED_AT: 'When it last changed.',
    FILENAME: 'The name of its file.',
    ID: 'The id.',
  },
  { field: 'PROCESSED_AT', direction: 'DESC' },
);
