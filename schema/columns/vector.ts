import { customType } from 'drizzle-orm/pg-core';

/** How many numbers every stored embedding has: the dimensions of all-MiniLM-L6-v2. */
export const EMBEDDING_DIMENSIONS = 384;

/** The values that a vector column accepts: finite numbers, as many as the column has dimensions. */
export type VectorInput = Float32Array | readonly number[];

/**
 * Writes a vector in pgvector's text form, `[1,2,3]`.
 * @throws RangeError if the length is not `dimensions`, or if an element is NaN or infinite, which pgvector cannot store.
 */
export function vectorLiteral(vector: VectorInput, dimensions: number = EMBEDDING_DIMENSIONS): string {
  if (vector.length !== dimensions) {
    throw new RangeError(`A vector of ${dimensions} numbers is needed, this one has ${vector.length}.`);
  }
  for (let i = 0; i < vector.length; i++) {
    if (!Number.isFinite(vector[i]))
      throw new RangeError(`Element ${i} of the vector is ${vector[i]}, not a finite number.`);
  }
  // `join` takes five times as long, because it looks up the text of each number in a cache.
  return JSON.stringify(Array.from(vector));
}

/**
 * Parses a vector in pgvector's text form.
 * @throws RangeError if the text does not have `dimensions` numbers.
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

/** A pgvector `vector(n)` column: 32-bit floats, 4 bytes a dimension. Reading it returns a Float32Array. */
export function vector(name: string, options: { dimensions: number }) {
  return vectorColumn(name, 'vector', options.dimensions);
}

/** A pgvector `halfvec(n)` column: 16-bit floats, 2 bytes a dimension, about three significant digits. */
export function halfvec(name: string, options: { dimensions: number }) {
  return vectorColumn(name, 'halfvec', options.dimensions);
}
