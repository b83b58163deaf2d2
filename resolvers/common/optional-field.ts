import { Field } from 'type-graphql';

/** An optional, documented field of an input type: a filter says only what it means to say. */
export function OptionalField(type: () => object, description: string): PropertyDecorator {
  return Field(type, { nullable: true, description });
}
