import { and, SQL, type SQLWrapper, sql } from 'drizzle-orm';
import { documentChunks, documents } from '../../schema/index.ts';

// Conditions that a search takes apart again. To everything else they are SQL like any other.

/** Conditions of which a row must meet all. */
export class Conjunction extends SQL {
  constructor(readonly parts: readonly [SQL, ...SQL[]]) {
    super((and(...parts) as SQL).queryChunks);
  }
}

/** `column @> json`: a GIN index can answer it. */
export class Containment extends SQL {
  constructor(
    readonly column: SQLWrapper,
    readonly json: SQLWrapper,
  ) {
    super(sql`${column} @> ${json}`.queryChunks);
  }
}

/** The condition that a row belongs to one user. */
export class Ownership extends SQL {
  constructor(
    column: SQLWrapper,
    readonly userId: string,
  ) {
    super(sql`${column} = ${userId}::text`.queryChunks);
  }
}

/** The condition that the document of a chunk meets a condition. */
export class DocumentCondition extends SQL {
  constructor(readonly ofDocument: SQL) {
    super(
      sql`(${documentChunks.documentId}, ${documentChunks.userId}) in
      (select ${documents.id}, ${documents.userId} from ${documents} where ${ofDocument})`.queryChunks,
    );
  }
}

/** Joins the conditions that are there. Returns undefined if there are none. */
export function allOf(...conditions: readonly (SQL | undefined)[]): SQL | undefined {
  const [first, ...others] = conditions.filter((condition) => condition !== undefined);
  if (first === undefined || others.length === 0) return first;
  return new Conjunction([first, ...others]);
}

/** The conditions that a row must meet, each by itself, as far as they are known to be joined by AND. */
export function partsOf(condition: SQL | undefined): SQL[] {
  if (condition === undefined) return [];
  return condition instanceof Conjunction ? condition.parts.flatMap(partsOf) : [condition];
}

/** Takes the user out of a condition whose rows all belong to one user. */
export function splitOwner(condition: SQL | undefined): { owner: string | undefined; rest: SQL | undefined } {
  const parts = partsOf(condition);
  const owner = parts.find((part) => part instanceof Ownership);
  if (owner === undefined) return { owner: undefined, rest: condition };
  return { owner: owner.userId, rest: allOf(...parts.filter((part) => part !== owner)) };
}

/**
 * The condition, written so that no index can answer it, and so that the planner takes half of the rows to meet it. Behind a policy the
 * planner uses no statistics for operators such as @>, and would take one row in a thousand.
 */
export function withoutIndexes(condition: SQL): SQL | undefined {
  const parts = partsOf(condition);
  const ofDocument = parts.filter((part) => part instanceof DocumentCondition);
  const ofRow = allOf(...parts.filter((part) => !(part instanceof DocumentCondition)));
  // A document is looked up by its id, row by row. A subselect inside CASE would read all documents first.
  return allOf(
    ofRow && sql`case when ${ofRow} then true end`,
    ...ofDocument.map((part) => new DocumentCondition(withoutIndexes(part.ofDocument) ?? part.ofDocument)),
  );
}
