import { GraphQLID, GraphQLString } from 'graphql';
import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ObjectType } from 'type-graphql';
import type { KeyRow } from '../../src/security/keys.ts';
import { connectionOf } from '../common/connection.ts';
import { enumOf } from '../common/enum.ts';

/** The roles as the API names them. */
export type UserRoleName = 'ADMIN' | 'USER' | 'READER';

export const UserRole = enumOf<UserRoleName>('UserRole', 'What a key allows.', {
  ADMIN: 'Everything, with the rows of all users, and acting for a user.',
  USER: 'Reads and writes the rows of its user, and counts the use of tools.',
  READER: 'Reads the rows of its user.',
});

/** What is stored of a key, with the role as the API names it. */
@ObjectType({
  simpleResolvers: true,
  description: 'A key by which requests say who they are. The key itself is not stored.',
})
export class ApiKey implements Omit<KeyRow, 'role'> {
  @Field(() => GraphQLID, {
    description: 'Identifies the key, to revoke it; a whole number in decimal digits.',
  })
  id!: string;

  @Field(() => GraphQLString, { description: 'The user whose requests have this key.' })
  userId!: string;

  @Field(() => UserRole, { description: 'What it allows.' })
  role!: UserRoleName;

  @Field(() => GraphQLString, { description: 'How the key begins, so that you can recognise it.' })
  prefix!: string;

  @Field(() => GraphQLDateTime, { description: 'When it was made (UTC).' })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description: 'When it was last used, to about a minute (UTC). Null if it never was.',
  })
  lastUsedAt!: Date | null;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description: 'From when on it is refused (UTC). Null if it does not expire.',
  })
  expiresAt!: Date | null;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description: 'When it was revoked (UTC). Null if it was not.',
  })
  revokedAt!: Date | null;
}

@ObjectType({ simpleResolvers: true, description: 'A key that was made now.' })
export class CreateKeyPayload {
  @Field(() => GraphQLString, {
    description: 'The key. This is the only time that it is shown: keep it where only its user can read it.',
  })
  key!: string;

  @Field(() => ApiKey, { description: 'What is stored of it.' })
  apiKey!: ApiKey;
}

export const ApiKeyConnection = connectionOf('ApiKey', 'keys', () => ApiKey);
