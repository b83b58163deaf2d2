import type { ReadOnly } from './doctor.ts';

/** An index of a table of funes. */
export interface IndexInfo {
  readonly name: string;
  readonly table: string;
  /** How it works: btree, gin, hnsw, ivfflat. */
  readonly method: string;
  /** Its columns and expressions, each with its operator class, as SQL. */
  readonly definition: string;
  /** The operator classes of its columns. */
  readonly operatorClasses: readonly string[];
  /** Storage parameters, such as `m=16`. */
  readonly parameters: readonly string[];
  readonly unique: boolean;
  /** Whether it is complete, so that queries use it. */
  readonly valid: boolean;
  readonly bytes: number;
  /** An estimate, as of the last ANALYZE. */
  readonly rows: number;
  /** Reads since the statistics were last reset. */
  readonly scans: number;
}

/** Reads the indexes of all tables in the schema of funes, by table and name. */
export async function readIndexes(read: ReadOnly): Promise<IndexInfo[]> {
  const rows = await read((query) =>
    query<
      Omit<IndexInfo, 'bytes' | 'rows' | 'scans' | 'operatorClasses' | 'parameters'> &
        Record<'bytes' | 'rows' | 'scans', string> &
        Record<'operatorClasses' | 'parameters', string>
    >(`
      select i.relname::text as name, t.relname::text as "table", a.amname::text as method,
        substring(pg_get_indexdef(x.indexrelid) from ' USING (.*)$') as definition,
        (select json_agg(o.opcname order by n)::text from unnest(x.indclass::oid[]) with ordinality as c (id, n) join pg_opclass o on o.oid = c.id) as "operatorClasses",
        coalesce(array_to_json(i.reloptions)::text, '[]') as parameters,
        x.indisunique as unique, x.indisvalid and x.indisready as valid,
        pg_relation_size(i.oid) as bytes, greatest(i.reltuples, 0)::bigint as rows, coalesce(s.idx_scan, 0) as scans
      from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid join pg_am a on a.oid = i.relam
        left join pg_stat_all_indexes s on s.indexrelid = x.indexrelid
      where t.relnamespace = current_schema()::regnamespace
      order by t.relname collate "C", i.relname collate "C"`),
  );
  return rows.map(({ bytes, rows: count, scans, operatorClasses, parameters, ...rest }) => ({
    ...rest,
    operatorClasses: JSON.parse(operatorClasses) as string[],
    parameters: JSON.parse(parameters) as string[],
    bytes: Number(bytes),
    rows: Number(count),
    scans: Number(scans),
  }));
}
