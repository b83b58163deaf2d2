import { commands } from '../src/distribution.ts';
import type { ExampleQuery } from '../src/http/page.ts';

/** A first query to paste. It works on an empty database, and stores nothing more if you send it again. */
const firstMemories = {
  title:
    'Store six memories and ask each for its nearest neighbour: by meaning, as no two share a word that matters',
  query: `mutation FirstMemories {
  createMemories(inputs: [
    { idempotencyKey: "first-1", content: "Leo scored the winning goal on Sunday." }
    { idempotencyKey: "first-2", content: "The kettle broke, so there is no tea this morning." }
    { idempotencyKey: "first-3", content: "It has been raining since Monday." }
    { idempotencyKey: "first-4", content: "Nobody gets a hot drink until we have a new water boiler." }
    { idempotencyKey: "first-5", content: "Take an umbrella, the whole week stays wet." }
    { idempotencyKey: "first-6", content: "Our team won the football match at the weekend." }
  ]) {
    content
    similar(k: 1) {
      similarity
      memory { content }
    }
  }
}`,
};

/** Queries for the data of the demo. The demo sends them too. */
export const demoQueries = {
  recall: {
    title: 'A question finds the memories that answer it',
    query: `query Recall {
  similarMemories(text: "What can our guests not eat?", k: 3, filters: { importanceScore: { gte: 0.5 } }) {
    similarity
    memory { content sessionId }
  }
}`,
  },
  documents: {
    title: 'Documents by their best passage, and the documents that resemble them',
    query: `query Documents {
  similarDocuments(text: "How do I notice that somebody closed the browser before the answer was ready?", k: 2) {
    similarity
    chunk { content chunkIndex }
    document {
      filename
      totalChunks
      similar(k: 2) { similarity document { filename } }
    }
  }
}`,
  },
  agent: {
    title: 'What an agent asks before it answers: three kinds of knowledge in one request',
    query: `query BeforeAnswering($question: String = "How do I remove sensitive data from what we log?") {
  rules: similarMemories(text: $question, k: 1, filters: { importanceScore: { gte: 0.9 } }) {
    similarity
    memory { content }
  }
  passages: similarChunks(text: $question, k: 2, filters: { document: { metadata: { contains: { package: "pino" } } } }) {
    similarity
    chunk { content document { filename } }
  }
  tools: similarTools(text: $question, k: 1) {
    similarity
    tool { toolName toolDescription }
  }
}`,
  },
} as const satisfies Record<string, ExampleQuery>;

const afterDemo = (title: string) => `${title} (after "${commands.demo}")`;

/** Queries that the server prints at its start and shows on its pages. You can send them as they are. */
export const exampleQueries: readonly ExampleQuery[] = [
  firstMemories,
  ...Object.values(demoQueries).map(({ title, query }) => ({ title: afterDemo(title), query })),
];
