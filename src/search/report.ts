import type { SearchPlan } from './plan.ts';

/**
 * How one statement carried out its searches. `candidates`, `completedExactly` and `capped` come from columns of the statement
 * (`sql/report-columns.ts`), which `toMatches` adds up; `exact` comes from the plan.
 */
export interface SearchReport {
  /** The fields of the response that asked for the searches, without list indexes: `similarMemories`, `memories.edges.node.similar`. */
  fields: string[];
  /** The number of searches; equal searches count once. */
  searches: number;
  /** The statement compared every row that passes the filters, and did not use the vector index: see `SearchPlan.exact`. */
  exact: boolean;
  /** How many rows were compared with the queries, in all searches together. */
  candidates: number;
  /** How many searches compared every row because the vector index found too few rows, or was not tried. */
  completedExactly: number;
  /** How many searches left out rows with common words, because their words are in more rows than a search scores. */
  capped: number;
  /** The time in milliseconds, from embedding the text to the last match. */
  tookMs: number;
  /** The number of statements, without BEGIN and COMMIT. */
  statements: number;
}

/** The numbers of one search: each of its hits has them, and the first is read. */
interface Found {
  candidates?: number | undefined;
  completed?: boolean | undefined;
  capped?: boolean | undefined;
}

/** Collects the numbers of a report while its searches run. */
export class ReportDraft {
  private readonly began = performance.now();
  private readonly report: SearchReport;
  private noted = 0;
  private byIndexAlone = false;

  constructor(fields: readonly string[]) {
    this.report = {
      fields: [...new Set(fields)],
      searches: 0,
      exact: false,
      candidates: 0,
      completedExactly: 0,
      capped: 0,
      tookMs: 0,
      statements: 0,
    };
  }

  /** Takes from the plan whether it is exact, and the number of searches in its statement. */
  begin({ exact, ranking }: SearchPlan, searches: number): void {
    this.report.exact = exact;
    this.report.searches = searches;
    this.byIndexAlone = !exact && ranking === undefined;
  }

  readonly onStatement = (): void => {
    this.report.statements++;
  };

  /** Adds the numbers of one search. */
  add({ candidates = 0, completed, capped }: Found): void {
    this.noted++;
    this.report.candidates += candidates;
    if (completed) this.report.completedExactly++;
    if (capped) this.report.capped++;
  }

  finished(): SearchReport {
    // A search by distance that found nothing has no hit with numbers. It compared every row to know that there is none.
    if (this.byIndexAlone) this.report.completedExactly += this.report.searches - this.noted;
    this.report.tookMs = Math.round((performance.now() - this.began) * 10) / 10;
    return this.report;
  }
}
