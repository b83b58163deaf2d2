import { seededRandom } from '../../testkit/vectors.ts';

// What `make-dump.ts` stores. The texts are put together from parts, so that some are near to each other and most are not.

export interface MemoryRow {
  content: string;
  contentSummary?: string;
  userId: string;
  sessionId?: string;
  source?: string;
  importanceScore?: number;
  idempotencyKey?: string;
  metadata?: Record<string, unknown>;
}

export interface DocumentRow {
  filename: string;
  filePath?: string;
  fileType?: string;
  content?: string;
  contentBase64?: string;
  userId: string;
  chunkSize: number;
  overlap: number;
  metadata?: Record<string, unknown>;
}

export interface ToolRow {
  toolName: string;
  toolDescription: string;
  toolParameters?: Record<string, unknown>;
}

/** Memories with this in their metadata are put into the archive. */
export const toArchive = { shelf: 'old' };
/** Texts with this in them are stored while the embedder fails. */
export const unembedded = 'not yet understood';

const users = ['default_user', 'ana', 'Bjørn Ødegård', '李小龍', 'o\'brien \\ "q"'];
const people = [
  'Ada',
  'Tomas',
  'Mara',
  'Priya',
  'Jonas',
  'Zoë',
  'my neighbour',
  'the dentist',
  'our landlord',
];
const places = ['Lisbon', 'the office', 'the old harbour', 'Kraków', 'the kitchen', 'platform 3', 'München'];
const days = ['on Monday', 'next week', 'in October', 'every evening', 'on the 14th of June', 'before noon'];
const templates = [
  'is allergic to walnuts and must not eat them',
  'wants to meet for coffee and cake',
  'lost the keys of the bicycle lock',
  'asked for a vegetarian dish with lentils',
  'will deploy the billing service',
  'reported that the database ran out of connections',
  'takes the train and needs a seat at the window',
  'plays the cello in a quartet',
  'has to renew the passport and the visa',
  'feeds the cat and waters the orchid',
  'paints the wall in a warm yellow',
  'complains about the slow wireless network',
  'prefers tea without sugar',
  'runs ten kilometres along the river',
];
const oddities = [
  '👩‍👩‍👧‍👦 family picnic 🏳️‍🌈, bring 1️⃣ blanket',
  'שלום עולם، مرحبا بالعالم',
  '我们明天早上七点在火车站见面。',
  "'; drop table memories; -- \"$1\" \\' E'\\x41'",
  '  first line\r\nsecond line\n\n\tthird line\u2028 ',
  '𝕬𝖓𝖈𝖎𝖊𝖓𝖙 𐎠𐎡 🀄 \u{10FFFF}',
  '100%_\\[a-z]*.?(x|y)^$',
  'é and é, ≠',
];

function chooser(seed: number) {
  const random = seededRandom(seed);
  return <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
}

/** 400 memories, of which every second one goes into the archive. */
export function memoryRows(): MemoryRow[] {
  const choose = chooser(1);
  return Array.from({ length: 400 }, (_, i) => {
    const archived = i % 2 === 1;
    const turn = Math.floor(i / 2);
    const odd = turn % 25 === 7 ? oddities[Math.floor(turn / 25)] : undefined;
    const sentence = `${choose(people)} ${choose(templates)} at ${choose(places)} ${choose(days)}`;
    const state = turn % 20 === 3 ? `, ${unembedded}` : '';
    return {
      content: odd ?? `${sentence}${state} (note ${i}).`,
      userId: users[Math.floor(turn / 4) % users.length] as string,
      ...(turn % 3 !== 0 && { sessionId: `talk-${Math.floor(turn / 20)}` }),
      ...(turn % 4 === 1 && { source: choose(['mail', 'voice', 'import ✉']) }),
      ...(turn % 5 !== 2 && { importanceScore: ((i * 37) % 101) / 100 }),
      ...(turn % 6 === 0 && { idempotencyKey: `key-${i} ü` }),
      ...(turn % 7 === 0 && { contentSummary: `In short: ${sentence.slice(0, 20)}` }),
      metadata: {
        ...(archived && toArchive),
        ...(turn % 2 === 0 && { turn, tags: [choose(['work', 'home', 'travel']), 'straße'] }),
        ...(odd !== undefined && { [odd]: { deep: [odd, null, 1.5, true, []] } }),
      },
    };
  });
}

/** 60 documents with two to five chunks each. */
export function documentRows(): DocumentRow[] {
  const choose = chooser(2);
  const sentence = () => `${choose(people)} ${choose(templates)} at ${choose(places)} ${choose(days)}.`;
  return Array.from({ length: 60 }, (_, i) => {
    const markdown = i % 3 !== 0;
    const paragraphs = Array.from({ length: 2 + (i % 2) }, (_unused, n) => {
      const heading = markdown ? `## Part ${n + 1} of ${choose(places)}\n\n` : '';
      return `${heading}${sentence()} ${sentence()}`;
    });
    const odd = i % 10 === 4 ? `\n\n${choose(oddities)}` : '';
    const late = i % 15 === 6 ? `\n\nThis is ${unembedded}.` : '';
    const text = `${markdown ? '# ' : ''}Report ${i}\n\n${paragraphs.join('\n\n')}${odd}${late}\n`;
    return {
      filename: `report-${i}${i % 10 === 4 ? ' ß' : ''}.${markdown ? 'md' : 'txt'}`,
      ...(i % 2 === 0 && { filePath: `/reports/${choose(['2025', '2026'])}/${i}` }),
      ...(i % 9 === 0 ? { contentBase64: Buffer.from(text).toString('base64') } : { content: text }),
      userId: users[i % users.length] as string,
      chunkSize: 32,
      overlap: i % 4 === 0 ? 0 : 8,
      ...(i % 5 !== 0 && { metadata: { number: i, kind: choose(['minutes', 'plan', 'bill']) } }),
    };
  });
}

const verbs = ['get', 'list', 'create', 'update', 'delete', 'search', 'export', 'import', 'share', 'archive'];
const nouns = [
  'weather forecast',
  'train connection',
  'calendar event',
  'email message',
  'invoice',
  'recipe',
  'bank transfer',
  'photo album',
  'hotel room',
  'exchange rate',
  'map route',
  'shopping list',
  'music playlist',
  'news article',
  'database backup',
  'phone contact',
  'translation',
  'alarm clock',
  'support ticket',
  'parking space',
];

/** 200 tools, in the several ways that names are written. */
export function toolRows(): ToolRow[] {
  return nouns.flatMap((noun, n) =>
    verbs.map((verb, v) => {
      const words = [verb, ...noun.split(' ')];
      const camel = words.map((word, i) => (i === 0 ? word : word.replace(/^./, (c) => c.toUpperCase())));
      const toolName = [words.join('_'), camel.join(''), words.join('.')][(n + v) % 3] as string;
      const late = (n * verbs.length + v) % 40 === 11 ? ` It is ${unembedded}.` : '';
      const properties = { id: { type: 'string' }, [noun]: { type: 'object', depth: v } };
      return {
        toolName,
        toolDescription: `Use this to ${verb} one ${noun} or several, as the user asks.${late}`,
        ...(v % 4 !== 3 && { toolParameters: { type: 'object', properties, required: ['id'] } }),
      };
    }),
  );
}
