import { quote } from '../../errors.ts';
import { unreadable } from '../incoming.ts';
import { type MemoryField, memoryFields, type PlainMemory } from '../plain-memory.ts';

export type FieldMap = Partial<Record<MemoryField, string>>;

/**
 * Parses a map such as `content=text,createdAt=date`: fields of a memory, each with the column that has it.
 * @throws FunesError BAD_USER_INPUT
 */
export function parseMap(text: string): FieldMap {
  const map: FieldMap = {};
  for (const pair of text.split(',')) {
    const [left = '', ...rest] = pair.split('=');
    const column = rest.join('=').trim();
    const field = memoryFields.find((one) => one === left.trim());
    if (field === undefined || column === '') {
      throw unreadable(
        `--map has ${quote(pair)}; it must be FIELD=COLUMN, with a field of a memory: ${memoryFields.join(', ')}.`,
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
  const rest = Object.entries(row).filter(([column]) => !used.has(column));
  if (rest.length === 0) return memory;
  const others = Object.fromEntries(rest);
  const { metadata } = memory;
  // What is no object is refused with the row.
  const isMergeable = metadata == null || (typeof metadata === 'object' && !Array.isArray(metadata));
  return isMergeable ? { ...memory, metadata: { ...others, ...metadata } } : memory;
}
