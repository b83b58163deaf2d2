import { quote } from '../../errors.ts';
import { unreadable } from '../incoming.ts';
import { type MemoryField, memoryFields, type PlainMemory } from '../plain-memory.ts';

/** A field of a memory, or one key of its metadata. */
type MappedField = MemoryField | `metadata.${string}`;

export type FieldMap = Partial<Record<MappedField, string>>;

/** Whether a name is one key of the metadata, such as `metadata.topic`. */
const isMetadataKey = (name: string): name is `metadata.${string}` => /^metadata\../s.test(name);

/**
 * Parses a map such as `content=text,metadata.topic=about`: fields of a memory, each with the column that has it.
 * @throws FunesError BAD_USER_INPUT
 */
export function parseMap(text: string): FieldMap {
  const map: FieldMap = {};
  for (const pair of text.split(',')) {
    const [left = '', ...rest] = pair.split('=');
    const column = rest.join('=').trim();
    const name = left.trim();
    const field = isMetadataKey(name) ? name : memoryFields.find((one) => one === name);
    if (field === undefined || column === '') {
      throw unreadable(
        `--map has ${quote(pair)}; it must be FIELD=COLUMN, with a field of a memory: ${memoryFields.join(', ')}, or metadata.NAME.`,
      );
    }
    if (map[field] !== undefined) throw unreadable(`--map has ${quote(field)} twice.`);
    map[field] = column;
  }
  return map;
}

/** Takes the fields of a memory from the columns that are mapped or have their names. Other columns become metadata. */
export function memoryOf(row: Record<string, unknown>, map: FieldMap): PlainMemory {
  const memory: PlainMemory = {};
  const used = new Set<string>();
  for (const field of memoryFields) {
    const column = map[field] ?? field;
    if (!Object.hasOwn(row, column)) continue;
    used.add(column);
    memory[field] = row[column];
  }
  const renamed = Object.entries(map).flatMap(([field, column]) => {
    if (!isMetadataKey(field) || column === undefined || !Object.hasOwn(row, column)) return [];
    used.add(column);
    return [[field.slice('metadata.'.length), row[column]] as const];
  });
  const rest = Object.entries(row).filter(([column]) => !used.has(column));
  if (rest.length + renamed.length === 0) return memory;
  const others = Object.fromEntries([...rest, ...renamed]);
  const { metadata } = memory;
  // What is no object is refused with the row.
  const isMergeable = metadata == null || (typeof metadata === 'object' && !Array.isArray(metadata));
  return isMergeable ? { ...memory, metadata: { ...others, ...metadata } } : memory;
}
