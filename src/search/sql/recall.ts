import { and, type SQL, sql } from 'drizzle-orm';
import { type Position, placeAmong } from '../paging.ts';
import { type RecallSource, recallParts } from '../recall-kinds.ts';
import type { SearchRequest } from '../request.ts';
import { candidateReport, candidateSteps, lendsContext, newestOf, notNewer } from './candidates.ts';
import { sharedKeywordTerms } from './keyword.ts';
import { bestRows, scoringSteps, usesWords } from './scoring.ts';

const list = (parts: readonly SQL[], separator: SQL = sql`, `) => sql.join([...parts], separator);
const unionAll = sql` union all `;

type RecallRequest = SearchRequest<readonly RecallSource[]>;

/**
 * A parenthesised subselect of the k nearest rows of all the sources, with columns `kind`, `row_id`, `user_id`, `chunk_id`,
 * `distance`.
 */
export function nearestOfAll(request: RecallRequest): SQL {
  const parts = request.conditions.map(({ kind, conditions }) => {
    const { columns, nearest } = recallParts[kind];
    const after = request.after && placeAmong(kind, request.after);
    // Each row tells the same of its kind; one of them counts.
    const found = sql`, case when row_number() over () = 1 then candidates else 0 end as candidates, completed`;
    return sql`select ${sql.raw(`'${kind}'`)} as kind, ${columns}, distance${request.report ? found : sql``}
      from ${nearest({ ...request, conditions, after })} ${sql.raw(kind.toLowerCase())}`;
  });
  const every = request.report
    ? sql`kind, row_id, user_id, chunk_id, distance, sum(candidates) over () as candidates, bool_or(completed) over () as completed`
    : sql`*`;
  return sql`(select ${every} from (${list(parts, unionAll)}) every_kind order by distance, kind, row_id limit ${request.k})`;
}

/**
 * The same by everything else that can rank rows, also with `score`, `parts` and, for `diversity`, `alike`.
 *
 * Scores of different tables are comparable because the sources share what scores are made from: a word is as rare as it
 * is in all of them together, and means, spreads, percentiles and ranks are those of all candidates together. Were each
 * source scored by itself, its best row would be as good as any other's, though it has nothing to do with the text.
 */
export function rankedOfAll(request: RecallRequest): SQL {
  const { k, options, after, pages } = request;
  const report = request.report !== undefined;
  const query = { options, k, after, pages, report, vector: sql`query.vector`, text: sql`query.text` };
  const sources = request.conditions.map(({ kind, conditions }, i) => ({
    kind,
    filters: conditions,
    conditions: and(conditions, notNewer(recallParts[kind].target, after?.basis?.newest[i])),
  }));
  const words = usesWords(query);
  const keywords = words
    ? sharedKeywordTerms(
        sources.map(({ kind, conditions }, i) => ({
          target: recallParts[kind].target,
          conditions,
          before: after?.basis?.words?.[i],
        })),
        query.text,
      )
    : undefined;
  const context = sources.some(({ kind }) => lendsContext(recallParts[kind].target, options));
  const found = sources.map(({ kind, conditions, filters }, i) => {
    const { target } = recallParts[kind];
    const steps = [
      ...(keywords?.own[i] ? [keywords.own[i]] : []),
      ...candidateSteps(target, { ...query, conditions, filters }),
    ];
    return sql`${sql.raw(`${kind.toLowerCase()}_rows`)} as materialized (with ${list(steps)} ${candidatesOf(kind, request)})`;
  });
  const names = sources.map(({ kind }) => sql.raw(`select * from ${kind.toLowerCase()}_rows`));
  const ctes = [
    ...(keywords ? [keywords.shared] : []),
    ...found,
    // From here on `id` numbers the candidates of all kinds, in the order that equal scores stand in.
    sql`features as materialized (select row_number() over (order by kind, row_id, chunk_id) as id, every_kind.*
      from (${list(names, unionAll)}) every_kind)`,
    ...(options.fusion === 'RANK' ? [places] : []),
    ...(context ? [shares] : []),
    ...scoringSteps(
      { ...(sources.length === 1 && recallParts[(sources[0] as RecallSource).kind].target) },
      query,
      { key: sql`id`, context, member: sql`memory_id` },
    ),
  ];
  return bestRows(ctes, query, {
    columns: sql`id, kind, row_id, user_id, chunk_id`,
    rows: sources.some(({ kind }) => kind === 'DOCUMENT')
      ? sql`(select distinct on (kind, row_id) * from scored order by kind, row_id, round, score desc, id) best`
      : sql`scored best`,
    place: sql`id`,
    behind: (after) => ({ column: sql`row_id`, behind: idBehind(sources, after) }),
    sources: sources.map(({ kind }, i) => ({
      newest: newestOf(recallParts[kind].target),
      words: keywords?.bases[i] ?? sql`null`,
    })),
    report: sql`(select sum(candidates) from features) as candidates, (select bool_or(completed) from features) as completed,
      (select bool_or(capped) from features) as capped`,
    embedded: sql`select chosen.*, case kind ${list(
      sources.map(({ kind }) => embeddingOf(kind)),
      sql` `,
    )} end as embedding from chosen`,
  });
}

/** Behind which id of its kind a row of the same score as `place` stands behind it. */
function idBehind(sources: readonly Pick<RecallSource, 'kind'>[], place: Position): SQL {
  const ids = sources.map(
    ({ kind }) => sql`when ${sql.raw(`'${kind}'`)} then ${placeAmong(kind, place).id}::bigint`,
  );
  return sql`case kind ${list(ids, sql` `)} end`;
}

/** The candidates of one source, with the columns that all have. */
function candidatesOf(kind: RecallSource['kind'], { options, report }: RecallRequest): SQL {
  const { target, columns } = recallParts[kind];
  const compared = kind === 'DOCUMENT' ? sql`document_id as row_id, user_id, id as chunk_id` : columns;
  const worth = options.weights ? sql`, recency, importance` : sql``;
  const how = report
    ? sql`, case when row_number() over () = 1 then candidates else 0 end as candidates, completed, capped`
    : sql``;
  const reported = report
    ? sql`features cross join (select ${candidateReport(options, options.mode !== 'SEMANTIC')}) found`
    : sql`features`;
  const lenders = lendsContext(target, options)
    ? sql`id as memory_id, lenders, portions, loan_rounds`
    : sql`null::bigint as memory_id, null::bigint[] as lenders, null::float8[] as portions, null::bigint[] as loan_rounds`;
  const loans = lendsContext(target, options)
    ? sql` left join (select id, array_agg(other order by other) as lenders, array_agg(share::float8 order by other) as portions,
        array_agg(round order by other) as loan_rounds from shares group by id) loan using (id)`
    : sql``;
  return sql`select ${sql.raw(`'${kind}'`)} as kind, ${compared}, candidate, features.round, distance, bm25, ${lenders}${worth}${how} from ${reported}${loans}`;
}

/** Lists for fusion by rank: those of an earlier round before the others, so that these change nothing about them. */
const places = sql`near as materialized (
    select id, row_number() over (order by round, distance, id) as place from features where distance is not null),
  worded as materialized (
    select id, row_number() over (order by round, bm25 desc, id) as place from features where bm25 > 0)`;

/** Who lends to whom, by their `memory_id`; nothing else is said in sessions. */
const shares = sql`shares as materialized (
    select memory_id as id, other, share, loan.round
    from features cross join lateral unnest(lenders, portions, loan_rounds) as loan (other, share, round))`;

function embeddingOf(kind: RecallSource['kind']): SQL {
  const { table, id, embedding } = recallParts[kind].target;
  const compared = kind === 'MEMORY' || kind === 'TOOL' ? sql`chosen.row_id` : sql`chosen.chunk_id`;
  const owner = kind === 'TOOL' ? sql`` : sql` and user_id = chosen.user_id`;
  return sql`when ${sql.raw(`'${kind}'`)} then (select ${embedding} from ${table} where ${id} = ${compared}${owner})`;
}
