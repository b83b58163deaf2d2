import { describe, expect, test } from 'vitest';
import { readChatgpt } from '../../../../src/transfer/formats/chatgpt.ts';
import { read, readUntilError, summary } from './read.ts';

interface Turn {
  id: string;
  parent?: string;
  role?: string;
  text?: string;
  message?: Record<string, unknown> | null;
}

/** A conversation as ChatGPT exports it. */
function conversation(turns: Turn[], fields: Record<string, unknown> = {}) {
  const mapping = Object.fromEntries(
    turns.map(({ id, parent, role = 'user', text = id, message }) => [
      id,
      {
        id,
        parent: parent ?? null,
        children: turns.filter((other) => other.parent === id).map((child) => child.id),
        message:
          message === null
            ? null
            : {
                id: `message-${id}`,
                author: { role, name: null, metadata: {} },
                create_time: null,
                update_time: null,
                content: { content_type: 'text', parts: [text] },
                status: 'finished_successfully',
                weight: 1,
                metadata: {},
                recipient: 'all',
                ...message,
              },
      },
    ]),
  );
  return {
    title: 'Bread',
    create_time: 1714564800.5,
    update_time: 1714564900,
    mapping,
    current_node: turns.at(-1)?.id,
    conversation_id: 'conversation-1',
    id: 'conversation-1',
    ...fields,
  };
}

describe('a conversation', () => {
  const bread = conversation([
    { id: 'root', message: null },
    { id: 'system', parent: 'root', role: 'system', text: '' },
    {
      id: 'q',
      parent: 'system',
      text: 'How long does bread rise?',
      message: { create_time: 1714564801.123456 },
    },
    {
      id: 'old',
      parent: 'q',
      role: 'assistant',
      text: 'A day.',
      message: { create_time: 1714564802 },
    },
    {
      id: 'new',
      parent: 'q',
      role: 'assistant',
      text: 'An hour, where it is warm.',
      message: { metadata: { model_slug: 'gpt-4o' } },
    },
  ]);

  test('becomes memories of one session, in their order, with the role as source', async () => {
    expect(
      (await read(readChatgpt, JSON.stringify([bread]))).filter(({ kind }) => kind === 'memory'),
    ).toEqual([
      {
        kind: 'memory',
        inputPath: '[0].mapping.q',
        content: 'How long does bread rise?',
        createdAt: '2024-05-01T12:00:01.123456Z',
        sessionId: 'conversation-1',
        source: 'user',
        metadata: { title: 'Bread', conversationId: 'conversation-1', messageId: 'message-q' },
      },
      {
        kind: 'memory',
        inputPath: '[0].mapping.new',
        content: 'An hour, where it is warm.',
        // It has no time of its own, and came no earlier than the question.
        createdAt: '2024-05-01T12:00:01.123456Z',
        sessionId: 'conversation-1',
        source: 'assistant',
        metadata: {
          title: 'Bread',
          conversationId: 'conversation-1',
          messageId: 'message-new',
          model: 'gpt-4o',
        },
      },
    ]);
  });

  test('leaves out what the user does not see, and says why', async () => {
    expect(summary(await read(readChatgpt, JSON.stringify([bread])))).toEqual([
      'leftOut [0].mapping.system: is a message of "system"',
      'How long does bread rise?',
      'An hour, where it is warm.',
      'leftOut [0].mapping.old: is on a branch that the conversation has left',
    ]);
  });

  test('takes the texts of messages with images and voice, and leaves out tools and thoughts', async () => {
    const image = { content_type: 'image_asset_pointer', asset_pointer: 'file-service://file-1', width: 10 };
    const spoken = { content_type: 'audio_transcription', text: 'Is it done?', direction: 'in' };
    const file = conversation([
      { id: 'a', message: { content: { content_type: 'multimodal_text', parts: [image, 'What is this?'] } } },
      { id: 'b', parent: 'a', message: { content: { content_type: 'multimodal_text', parts: [image] } } },
      {
        id: 'c',
        parent: 'b',
        message: { content: { content_type: 'multimodal_text', parts: [spoken, 'Now?'] } },
      },
      {
        id: 'd',
        parent: 'c',
        role: 'assistant',
        message: {
          recipient: 'python',
          content: { content_type: 'code', language: 'python', text: '1 + 1' },
        },
      },
      {
        id: 'e',
        parent: 'd',
        role: 'tool',
        message: { content: { content_type: 'execution_output', text: '2' } },
      },
      {
        id: 'f',
        parent: 'e',
        role: 'assistant',
        message: { content: { content_type: 'thoughts', thoughts: [] } },
      },
      { id: 'g', parent: 'f', message: { metadata: { is_visually_hidden_from_conversation: true } } },
      { id: 'h', parent: 'g', role: 'assistant', text: 'Two.' },
    ]);
    expect(summary(await read(readChatgpt, JSON.stringify([file])))).toEqual([
      'What is this?',
      'leftOut [0].mapping.b: has no text',
      'Is it done?\n\nNow?',
      'leftOut [0].mapping.d: is a message to a tool',
      'leftOut [0].mapping.e: is a message of "tool"',
      'leftOut [0].mapping.f: is of the type "thoughts"',
      'leftOut [0].mapping.g: is hidden in the conversation',
      'Two.',
    ]);
  });

  test('without current_node ends at its last leaf', async () => {
    const turns = [
      { id: 'a' },
      { id: 'b', parent: 'a', role: 'assistant' },
      { id: 'c', parent: 'a', role: 'assistant' },
    ];
    const file = conversation(turns, { current_node: 'gone' });
    expect(summary(await read(readChatgpt, JSON.stringify([file])))).toEqual([
      'a',
      'c',
      'leftOut [0].mapping.b: is on a branch that the conversation has left',
    ]);
  });

  test('whose messages stand in a circle fails alone', async () => {
    const circle = conversation([
      { id: 'a', parent: 'b' },
      { id: 'b', parent: 'a' },
    ]);
    const good = conversation([{ id: 'x' }]);
    expect(summary(await read(readChatgpt, JSON.stringify([circle, {}, good])))).toEqual([
      'failed [0]: [0].mapping is no tree: a message stands above itself.',
      'failed [1]: [1] is no conversation: it has no object "mapping".',
      'x',
    ]);
  });

  test('with a time that is none fails in that message alone', async () => {
    const file = conversation([
      { id: 'a', message: { create_time: 'yesterday' } },
      { id: 'b', parent: 'a', message: { create_time: 1714564800 } },
    ]);
    expect(summary(await read(readChatgpt, JSON.stringify([file])))).toEqual([
      'failed [0].mapping.a: [0].mapping.a.create_time is no time: "yesterday". Times are like 2024-05-01, ' +
        '2024-05-01T12:00:00.5Z, or seconds since 1970.',
      'b',
    ]);
  });
});

test('a file is read alike wherever its parts end', async () => {
  const file = JSON.stringify([
    conversation([{ id: 'a', text: 'Grüße 🥖' }]),
    conversation([{ id: 'b', text: 'a "quoted" \\ text' }]),
  ]);
  const whole = await read(readChatgpt, file, file.length * 4);
  expect(summary(whole)).toEqual(['Grüße 🥖', 'a "quoted" \\ text']);
  expect(await read(readChatgpt, file, 1)).toEqual(whole);
});

test('a file that is cut yields what is whole, and says where it ends', async () => {
  const file = JSON.stringify([conversation([{ id: 'a' }]), conversation([{ id: 'b' }])]);
  const { records, message } = await readUntilError(readChatgpt, file.slice(0, -30));
  expect(summary(records)).toEqual(['a']);
  expect(message).toBe('The file ends too early, behind [0]: the rest of it is missing.');
});
