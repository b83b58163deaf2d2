import { GraphQLString } from 'graphql';
import { Field, InputType } from 'type-graphql';
import { limits } from '../../src/input/limits.ts';
import type { NewTool } from '../../src/store/tools.ts';
import { GraphQLJSONObject } from '../common/json-object.ts';
import { OptionalField } from '../common/optional-field.ts';
import { OwnEmbedding } from '../common/own-embedding.ts';

@InputType({ description: 'A tool to register.' })
export class RegisterToolInput extends OwnEmbedding implements NewTool {
  @Field(() => GraphQLString, {
    description: 'Its name, up to 100 characters. If the name is taken, that tool is updated.',
  })
  toolName!: string;

  @Field(() => GraphQLString, { description: `What it does, up to ${limits.contentLength} characters.` })
  toolDescription!: string;

  @OptionalField(
    () => GraphQLJSONObject,
    `Its parameters, usually a JSON Schema, up to ${limits.jsonLength} characters of JSON.`,
  )
  toolParameters?: Record<string, unknown> | null;
}
