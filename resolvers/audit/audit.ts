import { GraphQLID, GraphQLString } from 'graphql';
import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ObjectType } from 'type-graphql';
import type { AuditAction as AuditActionName, AuditRow } from '../../src/store/audit.ts';
import { connectionOf } from '../common/connection.ts';
import { enumOf } from '../common/enum.ts';
import { GraphQLJSONObject } from '../common/json-object.ts';

export const AuditAction = enumOf<AuditActionName>('AuditAction', 'What was done.', {
  KEY_CREATED: 'A key was made.',
  KEY_REVOKED: 'A key was revoked.',
  USER_EXPORTED: 'The first page of an export of a user was read.',
  USER_FORGOTTEN: 'All rows of a user were deleted.',
});

@ObjectType({ simpleResolvers: true, description: 'A line of the audit: who did what, and when.' })
export class AuditLine implements AuditRow {
  @Field(() => GraphQLID, { description: 'Identifies the line; a whole number in decimal digits.' })
  id!: string;

  @Field(() => AuditAction, { description: 'What was done.' })
  action!: AuditActionName;

  @Field(() => GraphQLString, { description: 'The user whom it is about.' })
  about!: string;

  @Field(() => GraphQLString, { description: 'The user whose rights the request had.' })
  by!: string;

  @Field(() => GraphQLString, {
    nullable: true,
    description: 'The administrator who acted for that user (X-Funes-User), or `command line`.',
  })
  actor!: string | null;

  @Field(() => GraphQLString, {
    nullable: true,
    description: 'How the key of the request begins. Null if it was sent without one.',
  })
  keyPrefix!: string | null;

  @Field(() => GraphQLJSONObject, {
    description:
      'Of a key its id, prefix, role and expiresAt; of an export or a forgotten user how many rows of each kind.',
  })
  details!: Record<string, unknown>;

  @Field(() => GraphQLDateTime, { description: 'When it was done (UTC).' })
  createdAt!: Date;
}

export const AuditLineConnection = connectionOf('AuditLine', 'lines of the audit', () => AuditLine);
