import { type SQL, sql } from 'drizzle-orm';
import type { RankingPlan, SearchPlan } from '../plan.ts';
import { capped } from './keyword.ts';
import { column, cte } from './pipeline.ts';

// The columns by which a statement tells how it found its rows. `ReportDraft` in `../report.ts` adds them up. A statement without a
// report has none of them.

interface Found {
  candidates: SQL;
  completed: SQL;
  /** Only where words can be capped. */
  capped?: SQL;
}

/** The columns `candidates`, `completed` and `capped`. */
export function reportColumns({ candidates, completed, capped }: Found): SQL {
  const andCapped = capped ? sql`, ${capped} as ${column.capped}` : sql``;
  return sql`${candidates} as ${column.candidates}, ${completed} as ${column.completed}${andCapped}`;
}

/** `reportColumns` with a comma before them, where the plan has a report. */
export function andReport({ report }: Pick<SearchPlan, 'report'>, found: Found): SQL {
  return report ? sql`, ${reportColumns(found)}` : sql``;
}

/** The columns of a report on the candidates of one source. */
export function candidateReport({ near, words }: RankingPlan): SQL {
  const compared = [
    ...(near ? [sql`select ${column.id} from ${cte.near}`] : []),
    ...(words ? [sql`select ${column.id} from ${cte.scoredWords}`] : []),
  ];
  return reportColumns({
    candidates: sql`(select count(*) from (${sql.join(compared, sql` union `)}) compared)`,
    completed: near
      ? sql`coalesce((select bool_or(${column.completed}) from ${cte.near}), false)`
      : sql`false`,
    capped: words ? capped : sql`false`,
  });
}
