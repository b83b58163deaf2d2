import { GraphQLID, GraphQLInt, GraphQLString } from 'graphql';
import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ObjectType } from 'type-graphql';
import type { ToolRow } from '../../src/store/rows.ts';
import { connectionOf, orderOf } from '../common/connection.ts';
import { Embedded } from '../common/embedded.ts';
import { GraphQLJSONObject } from '../common/json-object.ts';
import { Scores } from '../common/match.ts';

/** The fields that are read with the row. tool-resolver.ts adds `embedding` and `similar`. */
@ObjectType({
  simpleResolvers: true,
  description: 'A tool that an agent can call. Tools are shared by all users.',
})
export class Tool extends Embedded implements ToolRow {
  @Field(() => GraphQLID, { description: 'Identifies the tool; a whole number in decimal digits.' })
  id!: string;

  @Field(() => GraphQLString, { description: 'Its name, unique.' })
  toolName!: string;

  @Field(() => GraphQLString, { description: 'What it does; with its name, the text by which it is found.' })
  toolDescription!: string;

  @Field(() => GraphQLJSONObject, { nullable: true, description: 'Its parameters, usually a JSON Schema.' })
  toolParameters!: Record<string, unknown> | null;

  @Field(() => GraphQLInt, { description: 'How often it was used, as recordToolUse counted.' })
  usageCount!: number;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description: 'When it was last used (UTC). Null if it never was.',
  })
  lastUsed!: Date | null;

  @Field(() => GraphQLDateTime, { description: 'When it was first registered (UTC).' })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, { description: 'When it last changed (UTC).' })
  updatedAt!: Date;
}

@ObjectType({ simpleResolvers: true, description: 'A tool that a search found.' })
export class ToolMatch extends Scores {
  @Field(() => Tool, { description: 'The tool.' })
  tool!: Tool;
}

export const ToolConnection = connectionOf('Tool', 'tools', () => Tool);

export const ToolOrder = orderOf(
  'Tool',
  {
    TOOL_NAME: 'Its name.',
    USAGE_COUNT: 'How often it was used.',
    CREATED_AT: 'When it was first registered.',
    UPDATED_AT: 'When it last changed.',
    ID: 'The id.',
  },
  { field: 'TOOL_NAME', direction: 'ASC' },
);
