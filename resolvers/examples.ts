import { demoQueries } from '../src/demo/queries.ts';

/** A first query to paste: it needs nothing stored before, and stores nothing more when it is sent again. */
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

const afterDemo = (title: string) => `${title} (after "npm run demo")`;

/** Queries that are shown to people who meet the API for the first time; they work as they stand. */
export const exampleQueries: readonly { title: string; query: string }[] = [
  firstMemories,
  ...Object.values(demoQueries).map(({ title, query }) => ({ title: afterDemo(title), query })),
];
