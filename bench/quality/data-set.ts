import type { Measure } from './measures.ts';

/** A text that a search can find. */
export interface Item {
  /** The name of the item in the judgements. Several items may share a key, and finding any of them counts. */
  key: string;
  /** The text of a memory or document; the description of a tool. */
  text: string;
  /** The stored name of a tool. */
  name?: string;
  /** The conversation that a memory belongs to. */
  session?: string;
}

export interface Question {
  text: string;
  /** Keys of the items that answer the question, each with its gain. */
  relevant: ReadonlyMap<string, number>;
}

/** Items that are searched together, with their questions. */
export interface Collection {
  /** The user who owns the stored items. */
  user: string;
  /** The items, in the order in which they are stored. */
  items: readonly Item[];
  questions: readonly Question[];
}

/** A public set of texts, questions and judgements, and how this benchmark uses it. */
export interface DataSet {
  /** The name on the command line. */
  name: string;
  title: string;
  /** The kind of the stored items. */
  kind: 'memory' | 'document' | 'tool';
  /** The files of the data folder that the set is read from. */
  files: readonly string[];
  /** How many matches each question asks for. */
  k: number;
  measures: readonly Measure[];
  read(folder: string): Promise<Collection[]>;
}
