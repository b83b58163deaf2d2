import { GraphQLID, GraphQLInt, GraphQLString } from 'graphql';
import { Field, ObjectType } from 'type-graphql';
import type { PersonalRow as Row } from '../../src/store/person.ts';
import type { PersonalKind as Kind } from '../../src/store/personal-tables.ts';
import { connectionOf } from '../common/connection.ts';
import { enumOf } from '../common/enum.ts';
import { GraphQLJSONObject } from '../common/json-object.ts';

export const PersonalKind = enumOf<Kind>('PersonalKind', 'What a row of a user is.', {
  MEMORY: 'A memory.',
  ARCHIVED_MEMORY: 'A memory in the archive.',
  DOCUMENT: 'A document, without its text.',
  CHUNK: 'A chunk of a document.',
  KEY: 'A key, without its hash.',
  AUDIT: 'A line of the audit about the user.',
});

@ObjectType({ simpleResolvers: true, description: 'A row of a user.' })
export class PersonalRow implements Row {
  @Field(() => PersonalKind, { description: 'What it is.' })
  kind!: Kind;

  @Field(() => GraphQLID, {
    description: 'Its id, a whole number in decimal digits. Rows of two kinds may have one id.',
  })
  id!: string;

  @Field(() => GraphQLJSONObject, {
    description:
      'All that is stored of it, by the names that the types of this API have: content, metadata, createdAt. Times have their ' +
      'microseconds, ids are strings.',
  })
  row!: Record<string, unknown>;
}

export const PersonalRowConnection = connectionOf('PersonalRow', 'rows of a user', () => PersonalRow);

@ObjectType({
  simpleResolvers: true,
  description: 'How many rows of a user were deleted. In a dry run, how many there are.',
})
export class ForgetUserPayload {
  @Field(() => GraphQLString, { description: 'The user.' })
  userId!: string;

  @Field(() => GraphQLInt, { description: 'Memories.' })
  memories!: number;

  @Field(() => GraphQLInt, { description: 'Memories in the archive.' })
  archivedMemories!: number;

  @Field(() => GraphQLInt, { description: 'Documents.' })
  documents!: number;

  @Field(() => GraphQLInt, { description: 'Chunks of documents.' })
  chunks!: number;

  @Field(() => GraphQLInt, { description: 'Keys.' })
  keys!: number;
}
