import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql';
import { GraphQLJSONObject as JSONObject } from 'graphql-scalars';
import { lossOf } from '../../src/input/exact-numbers.ts';

const config = JSONObject.toConfig();

/** The scalar JSONObject. Refuses literals whose numbers JavaScript would round; those of variables are refused with the request. */
export const GraphQLJSONObject = new GraphQLScalarType<object, unknown>({
  ...config,
  parseLiteral(node, variables) {
    refuseInexact(node);
    return config.parseLiteral(node, variables);
  },
});

function refuseInexact(node: ValueNode): void {
  if (node.kind === Kind.INT || node.kind === Kind.FLOAT) {
    const loss = lossOf(node.value);
    if (loss !== undefined)
      throw new GraphQLError(`JSON has ${loss}`, {
        nodes: [node],
        extensions: { code: 'BAD_USER_INPUT' },
      });
  } else if (node.kind === Kind.LIST) node.values.forEach(refuseInexact);
  else if (node.kind === Kind.OBJECT) for (const { value } of node.fields) refuseInexact(value);
}
