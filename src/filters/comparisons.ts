import { type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import type { InputPath } from './input-path.ts';
import { filterLimits } from './limits.ts';
import { parseList, parseObject } from './operands.ts';
import type { Scalar } from './operators.ts';

/** Returns the opposite of a condition: true if the condition is false or NULL, where SQL's NOT returns NULL for NULL. */
export function opposite(condition: SQL): SQL {
  return sql`(${condition}) is not true`;
}

/**
 * Compiles a condition to SQL, one part for each operator, and at least one. A row must meet all parts.
 * @param expression what is compared: a column, or SQL of the scalar's type.
 * @param noNull why the client cannot compare with null here, and what to do instead. Undefined for a nullable column.
 * @throws FunesError BAD_USER_INPUT for no operator, for an unknown operator, and for an operand of the wrong type or null.
 *   LIMIT_EXCEEDED.
 */
export function compileComparisons<T>(
  expression: SQLWrapper,
  scalar: Scalar<T>,
  condition: unknown,
  noNull: string | undefined,
  inputPath: InputPath,
): SQL[] {
  const operators = entries(condition, inputPath);
  if (operators.length === 0)
    throw inputPath.refusal('says nothing: send an operator with a value, or leave the field out.');
  return operators.map(([operator, operand, here]) => {
    here.count();
    if (operand === null) return compileNullComparison(expression, operator, noNull, here);
    const list = () =>
      parseList(operand, here, filterLimits.listLength).map((value, i) => scalar.parse(value, here.at(i)));
    switch (operator) {
      case 'eq':
        return scalar.equals(expression, scalar.parse(operand, here));
      case 'ne':
        return opposite(scalar.equals(expression, scalar.parse(operand, here)));
      case 'in':
        return scalar.isAmong(expression, list());
      case 'notIn':
        return opposite(scalar.isAmong(expression, list()));
      default: {
        const comparison = new Map(Object.entries(scalar.operators)).get(operator);
        if (!comparison) throw here.refusal('is not an operator of this field.');
        return comparison(expression, scalar.parse(operand, here));
      }
    }
  });
}

function compileNullComparison(
  expression: SQLWrapper,
  operator: string,
  noNull: string | undefined,
  inputPath: InputPath,
): SQL {
  if (operator !== 'eq' && operator !== 'ne') {
    throw inputPath.refusal('is null: send a value, or leave the operator out.');
  }
  if (noNull !== undefined) throw inputPath.refusal(`is null, but ${noNull}`);
  return operator === 'eq' ? sql`${expression} is null` : sql`${expression} is not null`;
}

/** Returns the entries of an input object: name, value and input path. Leaves out entries that are undefined. */
export function entries(
  input: unknown,
  inputPath: InputPath,
): [name: string, value: unknown, inputPath: InputPath][] {
  return Object.entries(parseObject(input, inputPath))
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, value, inputPath.at(name)]);
}
