import { exactly, isObject, jsonValues, textIn } from './json-values.ts';
import { badRecord, type FileRecord, recordOr } from './records.ts';
import { parseTime } from './times.ts';

/** Reads what `get_all` of mem0 returns: an object with the list "results", or the list alone. */
export async function* readMem0(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<FileRecord> {
  const expected = { name: 'mem0 memories', format: 'mem0', list: 'results' } as const;
  for await (const { value, inputPath } of jsonValues(bytes, expected))
    yield recordOr(inputPath, () => memoryOf(value, inputPath));
}

function memoryOf(value: unknown, inputPath: string): FileRecord {
  if (!isObject(value) || !Object.hasOwn(value, 'memory'))
    throw badRecord(inputPath, 'is no memory of mem0: it has no field "memory".');
  const { memory, user_id, run_id, created_at, metadata, ...others } = exactly(value, inputPath);
  const content = textIn(memory);
  if (content === undefined) return { kind: 'leftOut', inputPath, reason: 'has no text' };
  const own = metadata ?? {};
  if (!isObject(own)) throw badRecord(`${inputPath}.metadata`, 'is not an object.');
  if (Object.hasOwn(own, 'mem0'))
    throw badRecord(
      `${inputPath}.metadata.mem0`,
      'is in the way: that is where the ids of mem0 go. Rename it.',
    );
  const kept = Object.fromEntries(Object.entries(others).filter(([, one]) => one !== null && one !== ''));
  const createdAt = parseTime(created_at, `${inputPath}.created_at`);
  const userId = nameOf(user_id, `${inputPath}.user_id`);
  const sessionId = nameOf(run_id, `${inputPath}.run_id`);
  return {
    kind: 'memory',
    inputPath,
    ...(userId !== undefined && { userId }),
    content,
    ...(createdAt !== undefined && { createdAt }),
    ...(sessionId !== undefined && { sessionId }),
    source: textIn(value.role) ?? 'mem0',
    metadata: { ...own, ...(Object.keys(kept).length > 0 && { mem0: kept }) },
  };
}

/** A name of a user or a run. Programs have used numbers for them too. */
function nameOf(value: unknown, inputPath: string): string | undefined {
  if (value === null || value === undefined || value === '') return undefined;
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw badRecord(inputPath, 'is no text.');
}
