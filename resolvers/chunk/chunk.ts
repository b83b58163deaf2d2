import { GraphQLID, GraphQLInt, GraphQLString } from 'graphql';
import { GraphQLDateTime, GraphQLJSONObject } from 'graphql-scalars';
import { Field, ObjectType } from 'type-graphql';
import type { ChunkRow } from '../../src/store/rows.ts';
import { connectionOf, orderOf } from '../common/connection.ts';
import { Embedded } from '../common/embedded.ts';
import { Scores } from '../common/match.ts';

/** The fields that are read with the row. chunk-resolver.ts adds `embedding`, `similar`, `document`, `previous` and `next`. */
@ObjectType({ simpleResolvers: true, description: 'A piece of a document, short enough for one embedding.' })
export class Chunk extends Embedded implements ChunkRow {
  @Field(() => GraphQLID, { description: 'Identifies the chunk; a whole number in decimal digits.' })
  id!: string;

  @Field(() => GraphQLString, { description: "The user it belongs to: the document's." })
  userId!: string;

  @Field(() => GraphQLID, { description: 'The document it is a piece of.' })
  documentId!: string;

  @Field(() => GraphQLInt, { description: 'The number of the chunk in its document, counted from 0.' })
  chunkIndex!: number;

  @Field(() => GraphQLInt, { description: 'How many chunks the document has.' })
  totalChunks!: number;

  @Field(() => GraphQLString, { description: "The document's text from startOffset to endOffset, exactly." })
  content!: string;

  @Field(() => GraphQLString, { nullable: true, description: 'A shorter form of the text, if there is one.' })
  contentSummary!: string | null;

  @Field(() => GraphQLInt, { description: "Its length in the embedding model's tokens." })
  chunkSize!: number;

  @Field(() => GraphQLInt, {
    description:
      "How much of its beginning repeats the previous chunk's end, in the embedding model's tokens.",
  })
  overlapSize!: number;

  @Field(() => GraphQLInt, {
    description: "Where it begins in the document's text, in UTF-16 code units (JavaScript's `slice`).",
  })
  startOffset!: number;

  @Field(() => GraphQLInt, {
    description:
      "Where it ends in the document's text, exclusive, in UTF-16 code units. To get the document's text back, join what " +
      "lies behind the previous chunk's endOffset in each chunk.",
  })
  endOffset!: number;

  @Field(() => GraphQLJSONObject, {
    description:
      'Where it stands in the file: `page` and `slide` (numbers from 1), `sheet` (its name), and `headings` (those above it, the ' +
      'highest one first; of several sections, that of most of its text). With text of several, `pages`, `slides` or ' +
      '`sheets` has all of them. `tableHeader` is the first row of the first table that it has rows of; a search finds the chunk by it, too.',
  })
  metadata!: Record<string, unknown>;

  @Field(() => GraphQLDateTime, { description: 'When it was stored (UTC).' })
  createdAt!: Date;
}

@ObjectType({ simpleResolvers: true, description: 'A chunk that a search found.' })
export class ChunkMatch extends Scores {
  @Field(() => Chunk, { description: 'The chunk.' })
  chunk!: Chunk;
}

export const ChunkConnection = connectionOf('Chunk', 'chunks', () => Chunk);

export const ChunkOrder = orderOf(
  'Chunk',
  {
    CREATED_AT: 'When it was stored.',
    ID: 'The id: documents in the order of their storing, the chunks of each in their order.',
  },
  { field: 'ID', direction: 'ASC' },
);
