import type { Measure } from './measures.ts';

/** Something to find. */
export interface Item {
  /** What the judgements call it. Several items may share one: finding any of them counts. */
  key: string;
  /** The text of a memory or document; the description of a tool. */
  text: string;
  /** The name of a tool, as it is stored. */
  name?: string;
  /** The conversation that a memory belongs to. */
  session?: string;
}

export interface Question {
  text: string;
  /** Keys of the items that answer it, with the gain that finding each is worth. */
  relevant: ReadonlyMap<string, number>;
}

/** Items that are searched together. */
export interface Collection {
  /** The user that they are stored for. */
  user: string;
  /** In the order in which they are stored. */
  items: readonly Item[];
  questions: readonly Question[];
}

/** A public set of texts, questions and judgements, and how this benchmark uses it. */
export interface DataSet {
  /** As it stands on the command line. */
  name: string;
  title: string;
  /** What the items are stored as. */
  kind: 'memory' | 'document' | 'tool';
  /** What the data folder must hold. */
  files: readonly string[];
  /** How many matches each question asks for. */
  k: number;
  measures: readonly Measure[];
  read(folder: string): Promise<Collection[]>;
}
