import { FunesError } from '../errors.ts';
import { checkJson } from './checks.ts';
import { isJsonObject } from './json-object.ts';

type JsonObject = Record<string, unknown>;

/** A change of metadata: `metadata` replaces all, `mergeMetadata` is a JSON Merge Patch (RFC 7396). */
export interface MetadataChange {
  metadata?: JsonObject | null | undefined;
  mergeMetadata?: JsonObject | null | undefined;
}

/**
 * Checks that a change has only one of `metadata` and `mergeMetadata`. Returns the patch; undefined if there is none or it says
 * nothing.
 * @throws FunesError BAD_USER_INPUT or LIMIT_EXCEEDED.
 */
export function parseMergeMetadata({ metadata, mergeMetadata }: MetadataChange): JsonObject | undefined {
  if (mergeMetadata == null) return undefined;
  if (metadata != null) {
    throw new FunesError(
      'BAD_USER_INPUT',
      'input.metadata and input.mergeMetadata are both sent. Send metadata to replace all, or mergeMetadata to change some keys.',
    );
  }
  const patch = checkJson(mergeMetadata, 'input.mergeMetadata');
  return Object.keys(patch).length === 0 ? undefined : patch;
}

/**
 * Applies a JSON Merge Patch (RFC 7396) to metadata: null removes a key, an object changes the object at the key, every other
 * value replaces what is there.
 * @throws FunesError LIMIT_EXCEEDED if the result is too large.
 */
export function mergeMetadata(metadata: JsonObject, patch: JsonObject): JsonObject {
  return checkJson(merged(metadata, patch), 'The metadata after input.mergeMetadata');
}

function merged(target: unknown, patch: JsonObject): JsonObject {
  // A Map, because a key may be `__proto__`.
  const result = new Map(Object.entries(isJsonObject(target) ? target : {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key);
    else result.set(key, isJsonObject(value) ? merged(result.get(key), value) : value);
  }
  return Object.fromEntries(result);
}
