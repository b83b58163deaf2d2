import { GraphQLBoolean, GraphQLInt, GraphQLString } from 'graphql';
import { type ClassType, Field, InputType, ObjectType } from 'type-graphql';
import type { Direction, OrderBy } from '../../src/store/pages.ts';
import { enumOf } from './enum.ts';

/** Relay's `pageInfo`. */
@ObjectType({ simpleResolvers: true, description: 'The position of a page in its list.' })
export class PageInfo {
  @Field(() => GraphQLBoolean, { description: 'Whether there is more after this page.' })
  hasNextPage!: boolean;

  @Field(() => GraphQLBoolean, {
    description: 'Whether this page was asked for with `after`, so that there is something before it.',
  })
  hasPreviousPage!: boolean;

  @Field(() => GraphQLString, {
    nullable: true,
    description: 'Cursor of the first edge. Null on an empty page.',
  })
  startCursor!: string | null;

  @Field(() => GraphQLString, {
    nullable: true,
    description: 'Cursor of the last edge: pass it as `after` for the next page. Null on an empty page.',
  })
  endCursor!: string | null;
}

const DirectionEnum = enumOf<Direction>('OrderDirection', 'Which end of an order comes first.', {
  ASC: 'Smallest, oldest or alphabetically first.',
  DESC: 'Largest, newest or alphabetically last.',
});

/** Makes the Relay types `<Name>Connection` and `<Name>Edge` for a list of `node`s. */
export function connectionOf(name: string, plural: string, node: () => ClassType<object>) {
  @ObjectType(`${name}Edge`, { simpleResolvers: true, description: `One of the ${plural} of a page.` })
  class EdgeClass {
    @Field(() => GraphQLString, {
      description: 'The position of this one in the list: pass it as `after` to read on from here.',
    })
    cursor!: string;

    @Field(node, { description: 'The object itself.' })
    node!: object;
  }

  @ObjectType(`${name}Connection`, { simpleResolvers: true, description: `A page of a list of ${plural}.` })
  class ConnectionClass {
    @Field(() => [EdgeClass], { description: 'The objects of this page, in order.' })
    edges!: EdgeClass[];

    @Field(() => PageInfo, { description: 'The position of this page.' })
    pageInfo!: PageInfo;

    @Field(() => GraphQLInt, {
      description: 'How many there are on all pages. Counted only if you select it.',
    })
    totalCount!: number;
  }

  return ConnectionClass;
}

/**
 * Makes the input type `<Name>Order` and the enum `<Name>OrderField`. A new instance is the default order.
 * @param orders the fields to order by, each with its description.
 */
export function orderOf<Order extends string>(
  name: string,
  orders: Record<Order, string>,
  byDefault: OrderBy<NoInfer<Order>>,
) {
  const fields = enumOf(`${name}OrderField`, 'What a list is ordered by. The tie-break is the id.', orders);

  @InputType(`${name}Order`, { description: 'The order of a list.' })
  class OrderClass implements OrderBy<Order> {
    @Field(() => fields, { description: 'What the list is ordered by.' })
    field: Order = byDefault.field;

    @Field(() => DirectionEnum, { description: 'Which end comes first.' })
    direction: Direction = byDefault.direction;
  }

  return OrderClass;
}
