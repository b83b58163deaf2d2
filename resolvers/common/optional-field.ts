import { Field } from 'type-graphql';

/** A field of an input or arguments type that a client may leave out. */
export function OptionalField(type: () => object, description: string): PropertyDecorator {
  return Field(type, { nullable: true, description });
}
