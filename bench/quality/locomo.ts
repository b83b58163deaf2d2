import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Collection, DataSet, Item, Question } from './data-set.ts';
import { recallAt } from './measures.ts';

interface Turn {
  speaker: string;
  dia_id: string;
  text: string;
  /** The caption of the picture that was sent with the turn. A model made the caption. */
  blip_caption?: string;
}

interface Conversation {
  sample_id: string;
  conversation: Record<string, string | Turn[]>;
  qa: { question: string; evidence: string[] }[];
}

const file = 'locomo/locomo-dev.json';

/** Returns the content of the memory of a turn. */
const said = ({ speaker, text }: Turn) => `${speaker} said, "${text}"`;
const saidAndShown = (turn: Turn) =>
  turn.blip_caption === undefined ? said(turn) : `${said(turn)} and shared ${turn.blip_caption}`;

/**
 * Long conversations of two people over many sessions, and questions with the turns that answer them (Maharana et al.,
 * Evaluating Very Long-Term Conversational Memory of LLM Agents, ACL 2024, arXiv:2402.17753). Each conversation is a user,
 * and each turn is a memory.
 */
export const locomo = locomoWith('locomo', 'LoCoMo', said);

/** LoCoMo with the captions of the pictures in the content of the memories. */
export const locomoWithCaptions = locomoWith('locomo-captions', 'LoCoMo with captions', saidAndShown);

function locomoWith(name: string, title: string, textOf: (turn: Turn) => string): DataSet {
  return {
    name,
    title,
    kind: 'memory',
    files: [file],
    k: 25,
    measures: [recallAt(5), recallAt(10), recallAt(25)],
    read: async (folder) => {
      const conversations: Conversation[] = JSON.parse(await readFile(join(folder, file), 'utf8'));
      return conversations.map((conversation) => parseConversation(name, conversation, textOf));
    },
  };
}

function parseConversation(
  name: string,
  { sample_id, conversation, qa }: Conversation,
  textOf: (turn: Turn) => string,
): Collection {
  const user = `${name}/${sample_id}`;
  const items: Item[] = [];
  // Some conversations have the date of a session but not its turns.
  for (let session = 1; session <= Object.keys(conversation).length; session++) {
    const turns = conversation[`session_${session}`];
    if (!Array.isArray(turns)) continue;
    for (const turn of turns) {
      const [key] = turnsOf(turn.dia_id);
      if (key === undefined)
        throw new Error(`A turn of ${sample_id} has the id ${turn.dia_id}, which names no turn.`);
      items.push({ key, text: textOf(turn), session: `${user}/${session}` });
    }
  }
  const known = new Set(items.map(({ key }) => key));
  const questions: Question[] = qa.flatMap(({ question, evidence }) => {
    const keys = evidence.flatMap(turnsOf).filter((key) => known.has(key));
    return keys.length === 0 ? [] : [{ text: question, relevant: new Map(keys.map((key) => [key, 1])) }];
  });
  return { user, items, questions };
}

/**
 * Returns the keys of the turns that a piece of evidence names. The set has several notations: "D8:6; D9:17",
 * "D:11:26".
 */
function turnsOf(evidence: string): string[] {
  return [...evidence.matchAll(/D:?(\d+):0*(\d+)/g)].map(([, session, turn]) => `${session}:${turn}`);
}
