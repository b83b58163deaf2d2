import { isJsonObject } from '../../input/json-object.ts';
import { given, leftOut, listFormat, type Message } from './list.ts';

/**
 * Reads conversations.json of an export of Claude. Each message is a memory, the conversation is its session. The text of attached
 * files belongs to their message.
 */
export const readClaude = listFormat('conversation of Claude', (conversation) => {
  const { chat_messages: messages, uuid, name, created_at: begun } = conversation;
  if (!Array.isArray(messages)) return undefined;
  return messages.filter(isJsonObject).flatMap((message): Message[] => {
    const content = textOf(message);
    if (content === '') return [leftOut];
    const role = message.sender === 'human' ? 'user' : message.sender;
    const title = name === '' ? undefined : name;
    const metadata = given({ role, title, attachments: fileNames(message.attachments) });
    return [{ content, source: 'claude', sessionId: uuid, createdAt: message.created_at ?? begun, metadata }];
  });
});

function textOf({ text, content, attachments }: Record<string, unknown>): string {
  const blocks = listOf(content)
    .filter(({ type }) => type === 'text')
    .map((block) => block.text);
  // `text` repeats the blocks, with words in place of what cannot be exported.
  const parts = [
    ...(blocks.length > 0 ? blocks : [text]),
    ...listOf(attachments).map(({ extracted_content: extracted }) => extracted),
  ];
  return parts.filter((part): part is string => typeof part === 'string' && part.trim() !== '').join('\n\n');
}

function fileNames(attachments: unknown): unknown[] | undefined {
  const names = listOf(attachments).flatMap(({ file_name: fileName }) => fileName ?? []);
  return names.length > 0 ? names : undefined;
}

const listOf = (value: unknown) => (Array.isArray(value) ? value.filter(isJsonObject) : []);
