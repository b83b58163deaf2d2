import { customType } from 'drizzle-orm/pg-core';

/** Dimensions of every stored embedding: those of all-MiniLM-L6-v2. */
export const EMBEDDING_DIMENSIONS = 384;

/** What a vector column takes: any list of finite numbers of the column's length. */
export type VectorInput = Float32Array | readonly number[];

/**
 * pgvector's text form of a vector, `[1,2,3]`.
 * @throws RangeError when the length is not `dimensions`, or an element is NaN or infinite (pgvector stores neither).
 */
export function vectorLiteral(vector: VectorInput, dimensions: number = EMBEDDING_DIMENSIONS): string {
  if (vector.length !== dimensions) {
    throw new RangeError(`A vector of ${dimensions} numbers is needed, this one has ${vector.length}.`);
  }
  for (let i = 0; i < vector.length; i++) {
    if (!Number.isFinite(vector[i]))
      throw new RangeError(`Element ${i} of the vector is ${vector[i]}, not a finite number.`);
  }
  // Not `join`, which takes five times as long: it looks for each number in a cache of texts.
  return JSON.stringify(Array.from(vector));
}

/**
 * Reads pgvector's text form.
 * @throws RangeError when the text does not hold `dimensions` numbers.
 */
export function parseVector(text: string, dimensions: number = EMBEDDING_DIMENSIONS): Float32Array {
  const vector = Float32Array.from(text.slice(1, -1).split(','), Number);
  if (vector.length !== dimensions) {
    throw new RangeError(
      `The database returned a vector of ${vector.length} numbers where ${dimensions} were expected.`,
    );
  }
  return vector;
}

function vectorColumn(name: string, sqlType: 'vector' | 'halfvec', dimensions: number) {
  return customType<{ data: VectorInput; driverData: string }>({
    dataType: () => `${sqlType}(${dimensions})`,
    toDriver: (vector) => vectorLiteral(vector, dimensions),
    fromDriver: (text) => parseVector(text, dimensions),
  })(name);
}

/** A pgvector `vector(n)` column: 32-bit floats, 4 bytes a dimension. Gives Float32Array when read. */
export function vector(name: string, options: { dimensions: number }) {
  return vectorColumn(name, 'vector', options.dimensions);
}

/** A pgvector `halfvec(n)` column: 16-bit floats, half the size, about three significant digits. */
export function halfvec(name: string, options: { dimensions: number }) {
  return vectorColumn(name, 'halfvec', options.dimensions);
}
