import { type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import type { InputPath } from './input-path.ts';
import { filterLimits } from './limits.ts';
import { parseList, parseObject } from './operands.ts';
import type { Scalar } from './scalars.ts';

/** The opposite of a condition in two values, not SQL's three: true where the condition is false or NULL. */
export function opposite(condition: SQL): SQL {
  return sql`(${condition}) is not true`;
}

/**
 * Every operator of one condition as SQL, at least one; all of them must hold.
 * @param expression what is compared: a column, or SQL of the scalar's type.
 * @param noNull why `eq: null` and `ne: null` mean nothing here, and what to do; undefined where they ask for SQL's NULL.
 * @throws FunesError BAD_USER_INPUT for no operator, an unknown one, an operand of the wrong type or null, and LIMIT_EXCEEDED.
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

/** What an input object says: each name with its value and its input path. What is undefined says nothing. */
export function entries(
  input: unknown,
  inputPath: InputPath,
): [name: string, value: unknown, inputPath: InputPath][] {
  return Object.entries(parseObject(input, inputPath))
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, value, inputPath.at(name)]);
}
