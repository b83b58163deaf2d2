import { beforeAll, describe } from 'vitest';
import {
  ChunkPageDocument,
  DocumentPageDocument,
  MemoryPageDocument,
  type MemoryPageQueryVariables,
  RecallPageDocument,
  ToolPageDocument,
} from '../../generated/operations.ts';
import { type Case, nameOf, refuses, stored, storeRows } from './refusals.ts';

storeRows();

describe('a cursor of a search', () => {
  const searches = [
    [MemoryPageDocument, { text: 'there' }],
    [ChunkPageDocument, { text: 'there' }],
    [DocumentPageDocument, { text: 'there' }],
    [ToolPageDocument, { text: 'time' }],
    [RecallPageDocument, { text: 'there', kinds: ['MEMORY', 'TOOL'] }],
  ] as const;
  const hybrid = { options: { mode: 'HYBRID' } } as const;
  const search = { text: 'there', filters: { content: { contains: 'memory' } } };

  /** A cursor that the API returned, or a changed one. */
  async function cursorOf(
    variables: MemoryPageQueryVariables,
    change: (parts: Record<string, unknown>) => object = (parts) => parts,
  ): Promise<string> {
    const { page } = await stored.server.request(MemoryPageDocument, variables);
    const parts = JSON.parse(Buffer.from(page[0]?.cursor ?? '', 'base64url').toString());
    return Buffer.from(JSON.stringify(change(parts))).toString('base64url');
  }
  const cursors: Record<string, string> = {};
  beforeAll(async () => {
    cursors.own = await cursorOf(search);
    const changed = (change: object) => cursorOf(search, (parts) => ({ ...parts, ...change }));
    cursors.id = await changed({ id: '9223372036854775808' });
    cursors.sql = await changed({ id: '1 or 1=1' });
    cursors.value = await changed({ value: 'near' });
    cursors.seen = await changed({ seen: -1 });
    cursors.basisOnly = await changed({ basis: null });
    const inBasis = (change: object) =>
      cursorOf({ ...search, ...hybrid }, ({ basis, ...parts }) => ({
        ...parts,
        basis: { ...(basis as object), ...change },
      }));
    cursors.noBasis = await cursorOf({ ...search, ...hybrid }, ({ basis: _, ...parts }) => parts);
    cursors.nul = await inBasis({ words: [{ documents: 1, length: 1, lexemes: [['\0', 1]] }] });
  });

  refuses(
    'that was made up is refused: %s',
    searches.flatMap(([operation, variables]) =>
      ['', 'x', 'null', 'e30', '\ud800', "1'; drop table memories; --", 'A'.repeat(100_000)].map(
        (after): Case => [
          `${JSON.stringify(after.slice(0, 30))} in ${nameOf(operation)}`,
          operation,
          { ...variables, after },
          /^after must be the cursor of a match of this search, not "/,
        ],
      ),
    ),
  );
  refuses(
    'of ours that was changed is refused: %s',
    [
      ...['id', 'sql', 'value', 'seen', 'basisOnly'].map((name) => [name, search] as const),
      ...['noBasis', 'nul'].map((name) => [name, { ...search, ...hybrid }] as const),
    ].map(([name, variables]) => [
      name,
      MemoryPageDocument,
      () => ({ ...variables, after: cursors[name] }),
      /^after must be the cursor of a match of this search, not "/,
    ]),
  );
  const another = 'after is a cursor of another search: repeat the arguments that it came from (all but k)';
  refuses('of another search is refused: %s', [
    ['text', MemoryPageDocument, () => ({ ...search, text: 'here', after: cursors.own }), another],
    ['filters', MemoryPageDocument, () => ({ text: 'there', after: cursors.own }), another],
    ['options', MemoryPageDocument, () => ({ ...search, ...hybrid, after: cursors.own }), another],
    ['kind', ToolPageDocument, () => ({ text: 'there', after: cursors.own }), another],
    ['recall', RecallPageDocument, () => ({ text: 'there', kinds: ['MEMORY'], after: cursors.own }), another],
  ]);
  refuses('does not go with diversity', [
    [
      'diversity',
      MemoryPageDocument,
      () => ({ ...search, options: { diversity: 0.5 }, after: cursors.own }),
      'after reads on in a list, and options.diversity chooses a list as a whole: raise k, or leave one of them out.',
    ],
  ]);
});
