import { expect, test } from 'vitest';
import { readClaude } from '../../../../src/transfer/formats/claude.ts';
import { read, readUntilError, summary } from './read.ts';

const conversation = {
  uuid: 'c-1',
  name: 'Bread',
  summary: '',
  created_at: '2024-05-01T12:00:00.000001Z',
  updated_at: '2024-05-01T12:10:00Z',
  account: { uuid: 'a-1' },
};

/** A message as Claude exports it. */
function message(uuid: string, sender: string, text: string, fields: Record<string, unknown> = {}) {
  return {
    uuid,
    text,
    content: [{ type: 'text', text, citations: [] }],
    sender,
    created_at: '2024-05-01T14:00:01.123456+02:00',
    attachments: [],
    files: [],
    ...fields,
  };
}

const file = (...messages: unknown[]) => JSON.stringify([{ ...conversation, chat_messages: messages }]);

test('messages become memories of one session, with the role as source', async () => {
  const records = await read(
    readClaude,
    file(
      message('m-1', 'human', 'How long does bread rise?', {
        attachments: [{ file_name: 'recipe.txt', file_size: 3, extracted_content: 'abc' }],
        files: [{ file_name: 'bread.jpg' }],
      }),
      message('m-2', 'assistant', 'An hour.', { created_at: null }),
    ),
  );
  const common = { kind: 'memory', sessionId: 'c-1', createdAt: '2024-05-01T12:00:01.123456Z' };
  expect(records).toEqual([
    {
      ...common,
      inputPath: '[0].chat_messages[0]',
      content: 'How long does bread rise?',
      source: 'user',
      metadata: {
        title: 'Bread',
        conversationId: 'c-1',
        messageId: 'm-1',
        files: ['recipe.txt', 'bread.jpg'],
      },
    },
    {
      ...common,
      inputPath: '[0].chat_messages[1]',
      content: 'An hour.',
      source: 'assistant',
      metadata: { title: 'Bread', conversationId: 'c-1', messageId: 'm-2' },
    },
  ]);
});

test('a message without a time has that of its conversation if it is the first', async () => {
  const [record] = await read(readClaude, file(message('m-1', 'human', 'Hello', { created_at: null })));
  expect(record).toMatchObject({ createdAt: '2024-05-01T12:00:00.000001Z' });
});

test('the text is that of the parts, without tools and thoughts, or the one of older exports', async () => {
  const unsupported = '```\nThis block is not supported on your current device yet.\n```';
  const records = await read(
    readClaude,
    file(
      message('m-1', 'assistant', `Let me look.\n${unsupported}\nIt is done.`, {
        content: [
          { type: 'thinking', thinking: 'Where?' },
          { type: 'text', text: 'Let me look.' },
          { type: 'tool_use', name: 'search', input: {} },
          { type: 'tool_result', content: [{ type: 'text', text: 'A page.' }] },
          { type: 'text', text: 'It is done.' },
        ],
      }),
      message('m-2', 'human', 'An old message', { content: undefined }),
      message('m-3', 'human', '', { files: [{ file_name: 'a.png' }] }),
      message('m-4', 'assistant', unsupported, { content: [{ type: 'tool_use', name: 'search' }] }),
      'no message',
      message('m-5', 'human', 'Hi', { created_at: '2024-02-30T00:00:00Z' }),
      message('m-6', 'human', 'Thanks'),
    ),
  );
  expect(summary(records)).toEqual([
    'Let me look.\n\nIt is done.',
    'An old message',
    'leftOut [0].chat_messages[2]: has no text, only attachments',
    'leftOut [0].chat_messages[3]: has no text',
    'failed [0].chat_messages[4]: [0].chat_messages[4] is no message: it is not an object.',
    'failed [0].chat_messages[5]: [0].chat_messages[5].created_at is no time: "2024-02-30T00:00:00Z". Times are like ' +
      '2024-05-01, 2024-05-01T12:00:00.5Z, or seconds since 1970.',
    'Thanks',
  ]);
});

test('another file is refused, and named if it is known', async () => {
  const conversations = JSON.stringify([{ title: 'Bread', mapping: {}, current_node: 'a' }]);
  expect(await readUntilError(readClaude, conversations)).toEqual({
    records: [],
    message:
      "The file has no Claude conversations. The file looks like ChatGPT's conversations: try --from chatgpt.",
  });
  const projects = JSON.stringify([{ uuid: 'p-1', name: 'A project', docs: [] }]);
  expect(summary(await read(readClaude, projects))).toEqual([
    'failed [0]: [0] is no conversation: it has no list "chat_messages".',
  ]);
});
