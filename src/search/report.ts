import type { SearchPlan } from './plan.ts';

/** How one statement carried out the searches that it stands for. */
export interface SearchReport {
  /** The fields of the response that asked, without the places in lists: `similarMemories`, `memories.edges.node.similar`. */
  fields: string[];
  /** How many searches those were, equal ones counted once. */
  searches: number;
  /** Every row that passes the filters was compared, as no index was to choose among them. */
  exact: boolean;
  /** Rows that were compared with what was searched for, of all the searches together. */
  candidates: number;
  /** Searches for which the vector index gave too few rows, or was not tried, so that every row was compared after all. */
  completedExactly: number;
  /** Searches whose words stand in more rows than are scored: those with the rarest words were, and not all of them. */
  capped: number;
  /** From the text to the last match, in milliseconds. */
  tookMs: number;
  /** Statements sent to the database, without BEGIN and COMMIT. */
  statements: number;
}

/** What the first match of a search tells of all. */
interface Found {
  candidates?: number | undefined;
  completed?: boolean | undefined;
  capped?: boolean | undefined;
}

/** A report that is being written while the searches run. */
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

  /** Notes the plan, and for how many searches its statement stands. */
  begin({ exact, ranking }: SearchPlan, searches: number): void {
    this.report.exact = exact;
    this.report.searches = searches;
    this.byIndexAlone = !exact && ranking === undefined;
  }

  readonly onStatement = (): void => {
    this.report.statements++;
  };

  /** Notes how the matches of one search were found. */
  add({ candidates = 0, completed, capped }: Found): void {
    this.noted++;
    this.report.candidates += candidates;
    if (completed) this.report.completedExactly++;
    if (capped) this.report.capped++;
  }

  finished(): SearchReport {
    // A search by distance that found nothing has no row to tell how: it had to look at every row to know.
    if (this.byIndexAlone) this.report.completedExactly += this.report.searches - this.noted;
    this.report.tookMs = Math.round((performance.now() - this.began) * 10) / 10;
    return this.report;
  }
}
