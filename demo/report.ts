import { demoQueries } from '../resolvers/examples.ts';
import type { ExampleQuery } from '../src/http/page.ts';
import type { AgentAnswer, DocumentsAnswer, RecallAnswer } from './answers.ts';
import type { Client } from './client.ts';

/** The longest line of a passage. A longer line is wrapped. */
const width = 96;
const longestPassage = 5;

/** Sends the demo's queries one after the other, and writes each with its answer in a readable form. */
export async function showQueries(client: Client, write: (text: string) => void): Promise<void> {
  const show = async <Data>(query: ExampleQuery, lines: (data: Data) => string[], number: number) => {
    const data = await client.send<Data>(query.query);
    write(`\n${number}. ${query.title}\n\n${indent(query.query, 3)}\n\n${lines(data).join('\n')}\n`);
  };
  await show<RecallAnswer>(demoQueries.recall, recallLines, 1);
  await show<DocumentsAnswer>(demoQueries.documents, documentLines, 2);
  await show<AgentAnswer>(demoQueries.agent, agentLines, 3);
}

function recallLines({ similarMemories }: RecallAnswer): string[] {
  return similarMemories.map(({ similarity, memory }) =>
    line(similarity, `${memory.content}  (${memory.sessionId})`),
  );
}

function documentLines({ similarDocuments }: DocumentsAnswer): string[] {
  return similarDocuments.flatMap(({ similarity, document, chunk }) => [
    line(similarity, `${document.filename}, chunk ${chunk.chunkIndex + 1} of ${document.totalChunks}`),
    ...passage(chunk.content),
    `${' '.repeat(10)}resembles ${document.similar
      .map((match) => `${match.document.filename} (${match.similarity.toFixed(2)})`)
      .join(' and ')}`,
    '',
  ]);
}

function agentLines({ rules, passages, tools }: AgentAnswer): string[] {
  return [
    ...rules.map(({ similarity, memory }) => line(similarity, `memory  ${memory.content}`)),
    ...passages.flatMap(({ similarity, chunk }) => [
      line(similarity, `chunk   of ${chunk.document.filename}`),
      ...passage(chunk.content),
    ]),
    ...tools.map(({ similarity, tool }) =>
      line(similarity, `tool    ${tool.toolName}: ${tool.toolDescription}`),
    ),
  ];
}

function line(similarity: number, text: string): string {
  return `   ${similarity.toFixed(3)}  ${text}`;
}

/** Returns the beginning of a passage, wrapped, with a bar on its left. */
function passage(content: string): string[] {
  const lines = content
    .split('\n')
    .filter((text) => text.trim() !== '')
    .flatMap(wrapped);
  const shown = lines.length > longestPassage ? [...lines.slice(0, longestPassage), '…'] : lines;
  return shown.map((text) => `${' '.repeat(10)}│ ${text}`);
}

function wrapped(text: string): string[] {
  return (
    text.match(new RegExp(`.{1,${width}}(?:\\s+|$)|.{${width}}`, 'gu'))?.map((part) => part.trimEnd()) ?? []
  );
}

function indent(text: string, spaces: number): string {
  return text.replace(/^/gm, ' '.repeat(spaces));
}
