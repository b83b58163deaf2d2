import { DEFAULT_USER } from '../../../schema/columns/common.ts';
import type { Pool } from '../../../src/database/pool.ts';
import { hashModel } from '../../../testkit/hash-embedder.ts';
import { clusteredVectors, storeVectors } from '../../../testkit/vectors.ts';
import type { Seed } from '../../support/database.ts';

/** How many memories, chunks and tools there are. */
const rows = 4000;

/** The vector index of a table. */
export const hnsw = (table: string) =>
  table === 'tool_embeddings' ? 'idx_tool_embeddings_hnsw' : `idx_${table}_embedding_hnsw`;

/** The user who has three quarters of the memories, documents and chunks. */
export const planUser = DEFAULT_USER;

/** An SQL expression: the owner of the row with this number. */
const owner = (number: string) =>
  `case ${number} % 4 when 0 then 'other ' || ${number} % 40 else '${planUser}' end`;

/** As many rows of each kind, of which the searches of `forms` find some. */
export const planRows: Seed = {
  name: 'plan-rows',
  sources: ['testkit/vectors.ts', 'test/src/search/plan-rows.ts'],
  store: storePlanRows,
};

async function storePlanRows(pool: Pool): Promise<void> {
  await storeVectors(pool, clusteredVectors(rows));
  const kept = ['document_chunks', 'tool_embeddings'];
  const connection = await pool.reserve();
  try {
    const run = (statement: string) => connection.unsafe(statement);
    for (const table of kept) await run(`drop index ${hnsw(table)}`);
    // Every second memory is of the conversations that the filtered forms ask for; every fourth chunk ends its document. Three
    // quarters of all rows belong to one user, and the rest to ten others.
    await run(`update memories set user_id = ${owner('id')}, content = case id % 50 when 0 then 'violin' else 'harbor' end || ' number ' || id, session_id = 'session ' || id / 20,
      source = case id % 2 when 0 then 'chat' else 'note' end, metadata = metadata || jsonb_build_object('lang', case id % 2 when 0 then 'en' else 'de' end)`);
    await run('vacuum full memories');
    await run(`with document as (
        insert into documents (user_id, filename, content_hash, total_chunks)
        select ${owner('i')}, case i % 2 when 0 then 'a.md' else 'b.md' end, lpad(i::text, 64, '0'), 4 from generate_series(1, ${rows / 4}) i
        returning id, user_id),
      numbered as (select *, row_number() over (order by id) - 1 as n from document)
      insert into document_chunks (user_id, document_id, chunk_index, total_chunks, content, embedding, embedding_model,
        chunk_size, start_offset, end_offset)
      select numbered.user_id, numbered.id, place % 4, 4, case place % 50 when 0 then 'violin' else 'harbor' end || ' part ' || place, embedding, '${hashModel}', 10, place % 4 * 20, place % 4 * 20 + 15
      from (select embedding, row_number() over (order by id) - 1 as place from memories) memory
        join numbered on numbered.n = place / 4`);
    await run(`insert into tool_embeddings (tool_name, tool_description, embedding, embedding_model)
      select 'tool ' || id, 'plays the ' || case id % 50 when 0 then 'violin' else 'harbor' end, embedding, '${hashModel}' from memories`);
    for (const table of kept) {
      await run(`create index ${hnsw(table)} on ${table} using hnsw (embedding vector_cosine_ops)`);
    }
    for (const table of [...kept, 'memories', 'documents']) await run(`vacuum analyze ${table}`);
  } finally {
    connection.release();
  }
}
