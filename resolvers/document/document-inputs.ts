import { GraphQLInt, GraphQLString } from 'graphql';
import { GraphQLDateTime } from 'graphql-scalars';
import { Field, InputType } from 'type-graphql';
import { documentFormats } from '../../src/ingest/formats.ts';
import type { DocumentUpdate, NewDocument, ReplaceBy as ReplaceByName } from '../../src/ingest/ingest.ts';
import type { OwnChunk } from '../../src/ingest/own-chunks.ts';
import { limits } from '../../src/input/limits.ts';
import { enumOf } from '../common/enum.ts';
import { GraphQLJSONObject } from '../common/json-object.ts';
import { OptionalField } from '../common/optional-field.ts';
import { OwnEmbedding } from '../common/own-embedding.ts';

const sizes = {
  chunkSize: `Longest chunk, in the embedding model's tokens, 8 to ${limits.chunkSize}. Default 200.`,
  overlap:
    'How much of a chunk may repeat the end of the one before, in tokens, up to half of chunkSize. Default 40.',
};

const endings = documentFormats.map(({ name }) => `.${name}`).join(', ');
const names = documentFormats.map(({ name }) => name).join(', ');
const textFormats = documentFormats.flatMap(({ name, isText }) => (isText ? [name] : [])).join(', ');

export const ReplaceBy = enumOf<ReplaceByName>(
  'ReplaceBy',
  'Which document of the user a new one replaces.',
  {
    NONE: 'None: it is stored beside the others.',
    BY_FILE_PATH: 'The one with the same `filePath`.',
    BY_FILENAME: 'The one with the same `filename`. If there are several, nothing is stored.',
  },
);
export type ReplaceBy = ReplaceByName;

@InputType({ description: 'A chunk that you have cut yourself.' })
export class DocumentChunkInput extends OwnEmbedding implements OwnChunk {
  @Field(() => GraphQLString, {
    description: `Its text, up to ${limits.contentLength} characters. The texts of all chunks, one behind the other, are the document.`,
  })
  content!: string;

  @OptionalField(
    () => GraphQLJSONObject,
    `What else to keep with it, such as its page, up to ${limits.jsonLength} characters of JSON.`,
  )
  metadata?: Record<string, unknown> | null;
}

@InputType({ description: 'A document to store. Give its text, its bytes, or its chunks.' })
export class IngestDocumentInput implements NewDocument {
  @Field(() => GraphQLString, {
    description: `The name of its file, up to 255 characters. The ending tells the format: ${endings}; without one, it is txt.`,
  })
  filename!: string;

  @OptionalField(
    () => GraphQLString,
    `The text of the file, up to ${limits.documentLength} characters: ${textFormats}. Other formats come as contentBase64.`,
  )
  content?: string | null;

  @OptionalField(
    () => GraphQLString,
    `The bytes of the file in base64. The text in it may have up to ${limits.documentLength} characters. Text that is not UTF-8 is ` +
      'read if its encoding is certain.',
  )
  contentBase64?: string | null;

  @OptionalField(
    () => [DocumentChunkInput],
    `The chunks, if you have cut the text yourself, up to ${limits.batchSize}. They are stored as they are.`,
  )
  chunks?: DocumentChunkInput[] | null;

  @OptionalField(
    () => GraphQLDateTime,
    'When it was made, if that was earlier; not in the future. Default: when it is stored.',
  )
  createdAt?: Date | null;

  @OptionalField(() => GraphQLString, 'The path of the file, so that the application finds it again.')
  filePath?: string | null;

  @OptionalField(() => GraphQLString, `The format, if the name does not tell it: ${names}, or a media type.`)
  fileType?: string | null;

  @OptionalField(
    () => GraphQLString,
    'The user it belongs to, up to 100 characters. Default: the user who sends the request.',
  )
  userId?: string | null;

  @OptionalField(
    () => GraphQLJSONObject,
    `What else to keep with it, up to ${limits.jsonLength} characters of JSON.`,
  )
  metadata?: Record<string, unknown> | null;

  @OptionalField(() => GraphQLInt, sizes.chunkSize)
  chunkSize?: number | null;

  @OptionalField(() => GraphQLInt, sizes.overlap)
  overlap?: number | null;
}

@InputType({ description: 'What to change of a document. A field that you leave out stays as it is.' })
export class UpdateDocumentInput implements DocumentUpdate {
  @OptionalField(() => GraphQLString, 'The new name of its file.')
  filename?: string | null;

  @OptionalField(() => GraphQLString, 'The new text. It is cut anew, and its chunks replace the old ones.')
  content?: string | null;

  @OptionalField(() => GraphQLString, 'The new bytes in base64, instead of `content`.')
  contentBase64?: string | null;

  @OptionalField(() => GraphQLString, 'The path of the file; null removes it.')
  filePath?: string | null;

  @OptionalField(() => GraphQLString, 'The format of the new text, if the name does not tell it.')
  fileType?: string | null;

  @OptionalField(() => GraphQLJSONObject, 'Replaces all the metadata.')
  metadata?: Record<string, unknown> | null;

  @OptionalField(
    () => GraphQLJSONObject,
    'Instead of `metadata`: a JSON Merge Patch (RFC 7396). Null removes a key, and keys that you leave out stay.',
  )
  mergeMetadata?: Record<string, unknown> | null;

  @OptionalField(() => GraphQLInt, `With new text: ${sizes.chunkSize}`)
  chunkSize?: number | null;

  @OptionalField(() => GraphQLInt, `With new text: ${sizes.overlap}`)
  overlap?: number | null;
}
