import { exactly, isObject, jsonValues, textIn } from './json-values.ts';
import { badRecord, type FileRecord, recordOr } from './records.ts';
import { parseTime } from './times.ts';

/** Reads conversations.json of a Claude export: each message becomes a memory of its conversation. */
export async function* readClaude(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<FileRecord> {
  const expected = { name: 'Claude conversations', format: 'claude' } as const;
  for await (const { value, inputPath } of jsonValues(bytes, expected)) {
    if (!isObject(value) || !Array.isArray(value.chat_messages)) {
      const message = `${inputPath} is no conversation: it has no list "chat_messages".`;
      yield { kind: 'failed', inputPath, message };
      continue;
    }
    // Some messages have no time. A message came no earlier than the one before it.
    let before: unknown = value.created_at;
    for (const [i, message] of value.chat_messages.entries()) {
      const messagePath = `${inputPath}.chat_messages[${i}]`;
      const time = (isObject(message) ? textIn(message.created_at) : undefined) ?? before;
      before = time;
      yield recordOr(messagePath, () => memoryOf(message, messagePath, value, time));
    }
  }
}

function memoryOf(
  message: unknown,
  inputPath: string,
  conversation: Record<string, unknown>,
  time: unknown,
): FileRecord {
  if (!isObject(message)) throw badRecord(inputPath, 'is no message: it is not an object.');
  const content = textOf(message);
  const files = filesOf(message);
  if (content === '')
    return {
      kind: 'leftOut',
      inputPath,
      reason: files.length === 0 ? 'has no text' : 'has no text, only attachments',
    };
  const createdAt = parseTime(exactly(time, `${inputPath}.created_at`), `${inputPath}.created_at`);
  const conversationId = textIn(conversation.uuid);
  const title = textIn(conversation.name);
  const messageId = textIn(message.uuid);
  return {
    kind: 'memory',
    inputPath,
    content,
    ...(createdAt !== undefined && { createdAt }),
    ...(conversationId !== undefined && { sessionId: conversationId }),
    source: sourceOf(message.sender),
    metadata: {
      ...(title !== undefined && { title }),
      ...(conversationId !== undefined && { conversationId }),
      ...(messageId !== undefined && { messageId }),
      ...(files.length > 0 && { files }),
    },
  };
}

/** The role by the name that other exports have for it, so that one filter finds what people wrote. */
function sourceOf(sender: unknown): string {
  return sender === 'human' ? 'user' : (textIn(sender) ?? 'unknown');
}

/**
 * The text of a message. `content` has its parts, of which tools and thoughts are no text of the conversation. `text` is all that
 * older exports have; in newer ones it says of each other part that it cannot be shown.
 */
function textOf({ content, text }: Record<string, unknown>): string {
  const parts = Array.isArray(content) ? content.filter(isObject) : [];
  const texts = parts
    .filter(({ type }) => type === 'text' || type === 'voice_note')
    .flatMap((part) => textIn(part.text) ?? []);
  if (texts.length > 0) return texts.join('\n\n');
  return parts.length === 0 ? (textIn(text) ?? '') : '';
}

/** The names of what is attached to a message. */
function filesOf(message: Record<string, unknown>): string[] {
  return [message.attachments, message.files]
    .flatMap((list) => (Array.isArray(list) ? list.filter(isObject) : []))
    .flatMap(({ file_name }) => textIn(file_name) ?? []);
}
