import type { SelectedField, Selection } from './operations.ts';
import { type Known, rowKinds } from './values.ts';

/** Returns what is known before there is an answer. */
export const nothingKnown = (): Known => ({
  ids: { Memory: [], Chunk: [], Document: [], Tool: [], ApiKey: [] },
  toolNames: [],
  cursors: new Map(),
});

/** The data of an answer, or an object in it. */
export type Answered = Record<string, unknown> | null;

/** Most ids of a kind, and most cursors of a list, that are kept: the latest. */
const kept = 60;

function remember<T>(values: T[], value: T): void {
  values.push(value);
  if (values.length > kept) values.shift();
}

/** Forgets what a message says is not there: rows of the kind that it names, with their ids or names in quotes. */
export function forget(message: string, known: Known): void {
  const gone = new Set([...message.matchAll(/"([^"]+)"/g)].map(([, name]) => name));
  for (const kind of rowKinds)
    if (message.toLowerCase().includes(kind.toLowerCase()))
      known.ids[kind] = known.ids[kind].filter((id) => !gone.has(id));
  known.toolNames = known.toolNames.filter((name) => !gone.has(name));
}

/** Notes the ids, names and cursors of an answer. */
export function learn(
  selections: readonly Selection[],
  answered: Answered,
  known: Known,
  list?: SelectedField,
): void {
  if (answered === null) return;
  for (const selection of selections) {
    if (!('member' in selection)) {
      // A fragment for another type selects nothing here, and its names are missing.
      learn(selection.selections, answered, known, list);
      continue;
    }
    const { member, name, alias, selections: inner } = selection;
    const value = answered[alias ?? name];
    const [type = ''] = member.split('.');
    const kind = rowKinds.find((one) => one === type);
    if (typeof value === 'string') {
      if (name === 'id' && kind !== undefined && !known.ids[kind].includes(value))
        remember(known.ids[kind], value);
      if (name === 'toolName' && !known.toolNames.includes(value)) remember(known.toolNames, value);
      if (list !== undefined && /^(endC|c)ursor$/.test(name)) {
        const { after: _after, ...args } = list.args;
        const cursors = known.cursors.get(list.member) ?? [];
        known.cursors.set(list.member, cursors);
        remember(cursors, { args, cursor: value });
      }
    }
    if (inner.length === 0) continue;
    const isList =
      name !== 'edges' &&
      name !== 'pageInfo' &&
      kind === undefined &&
      /s$|recall|audit|exportUser/.test(name);
    for (const item of Array.isArray(value) ? value : [value ?? null])
      learn(inner, item as Answered, known, isList || member === 'Document.chunks' ? selection : list);
  }
}
