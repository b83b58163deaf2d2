import { GraphQLString } from 'graphql';
import { GraphQLDateTime } from 'graphql-scalars';
import { Field, InputType } from 'type-graphql';
import { OptionalField } from '../common/optional-field.ts';
import { UserRole, type UserRoleName } from './key.ts';

@InputType({ description: 'A key to make.' })
export class CreateKeyInput {
  @Field(() => GraphQLString, {
    description: 'The user whose requests will have this key, up to 100 characters.',
  })
  userId!: string;

  @Field(() => UserRole, { defaultValue: 'USER', description: 'What it allows.' })
  role!: UserRoleName;

  @OptionalField(
    () => GraphQLDateTime,
    'From when on it is refused; a time in the future. Without it the key does not expire.',
  )
  expiresAt?: Date | null;
}
