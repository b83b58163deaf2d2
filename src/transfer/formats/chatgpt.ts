import { exactly, isObject, jsonValues, textIn } from './json-values.ts';
import { type FileRecord, type LeftOut, recordOr } from './records.ts';
import { parseTime } from './times.ts';

/** A message in the tree of a conversation. A question that was changed, or an answer made anew, begins another branch. */
interface Node {
  id: string;
  inputPath: string;
  message: Record<string, unknown>;
}

/** Reads conversations.json of a ChatGPT export: each message that the user saw last becomes a memory of its conversation. */
export async function* readChatgpt(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<FileRecord> {
  const expected = { name: 'ChatGPT conversations', format: 'chatgpt' } as const;
  for await (const { value, inputPath } of jsonValues(bytes, expected)) yield* recordsOf(value, inputPath);
}

function* recordsOf(value: unknown, inputPath: string): Generator<FileRecord> {
  const mapping = isObject(value) ? value.mapping : undefined;
  if (!isObject(value) || !isObject(mapping)) {
    yield {
      kind: 'failed',
      inputPath,
      message: `${inputPath} is no conversation: it has no object "mapping".`,
    };
    return;
  }
  const path = pathTo(leafOf(mapping, value.current_node), mapping);
  if (path === undefined) {
    yield {
      kind: 'failed',
      inputPath,
      message: `${inputPath}.mapping is no tree: a message stands above itself.`,
    };
    return;
  }
  const onPath = new Set(path);
  const conversation = { title: value.title, id: textIn(value.conversation_id) ?? textIn(value.id) };
  // Some messages have no time. A message came no earlier than the one before it.
  let before: unknown = value.create_time;
  for (const node of nodesOf(path, mapping, inputPath)) {
    const time = node.message.create_time ?? before;
    before = time;
    yield recordOr(node.inputPath, () => memoryOf(node, conversation, time));
  }
  const others = Object.keys(mapping).filter((id) => !onPath.has(id));
  for (const node of nodesOf(others, mapping, inputPath)) {
    const reason = reasonToLeaveOut(node.message) ?? 'is on a branch that the conversation has left';
    yield { kind: 'leftOut', inputPath: node.inputPath, reason };
  }
}

function* nodesOf(
  ids: readonly string[],
  mapping: Record<string, unknown>,
  inputPath: string,
): Generator<Node> {
  for (const id of ids) {
    const node = mapping[id];
    // The root of a tree has no message.
    if (isObject(node) && isObject(node.message))
      yield { id, inputPath: `${inputPath}.mapping.${id}`, message: node.message };
  }
}

/** The message that the user saw last. Where the file does not say, the last of the last answers. */
function leafOf(mapping: Record<string, unknown>, current: unknown): string | undefined {
  if (typeof current === 'string' && Object.hasOwn(mapping, current)) return current;
  return Object.keys(mapping)
    .filter((id) => childrenOf(mapping, id).length === 0)
    .at(-1);
}

function childrenOf(mapping: Record<string, unknown>, id: string): unknown[] {
  const node = mapping[id];
  return isObject(node) && Array.isArray(node.children) ? node.children : [];
}

/** The messages from the first one to the leaf, or undefined if there is no first one. */
function pathTo(leaf: string | undefined, mapping: Record<string, unknown>): string[] | undefined {
  const path = new Set<string>();
  for (let id = leaf; id !== undefined && Object.hasOwn(mapping, id); ) {
    if (path.has(id)) return undefined;
    path.add(id);
    const node = mapping[id];
    id = isObject(node) && typeof node.parent === 'string' ? node.parent : undefined;
  }
  return [...path].reverse();
}

function memoryOf(
  { id, inputPath, message }: Node,
  conversation: { title: unknown; id: string | undefined },
  time: unknown,
): FileRecord {
  const reason = reasonToLeaveOut(message);
  if (reason !== undefined) return { kind: 'leftOut', inputPath, reason };
  const createdAt = parseTime(exactly(time, `${inputPath}.create_time`), `${inputPath}.create_time`);
  const title = textIn(conversation.title);
  const model = isObject(message.metadata) ? textIn(message.metadata.model_slug) : undefined;
  return {
    kind: 'memory',
    inputPath,
    content: textOf(message),
    ...(createdAt !== undefined && { createdAt }),
    ...(conversation.id !== undefined && { sessionId: conversation.id }),
    source: roleOf(message),
    metadata: {
      ...(title !== undefined && { title }),
      ...(conversation.id !== undefined && { conversationId: conversation.id }),
      messageId: textIn(message.id) ?? id,
      ...(model !== undefined && { model }),
    },
  };
}

function reasonToLeaveOut(message: Record<string, unknown>): LeftOut['reason'] | undefined {
  const role = roleOf(message);
  if (role !== 'user' && role !== 'assistant') return `is a message of "${role}"`;
  if (isObject(message.metadata) && message.metadata.is_visually_hidden_from_conversation === true)
    return 'is hidden in the conversation';
  // What the assistant sends to a tool, such as a search or a program to run.
  const recipient = textIn(message.recipient);
  if (recipient !== undefined && recipient !== 'all') return 'is a message to a tool';
  const type = isObject(message.content) ? textIn(message.content.content_type) : undefined;
  if (type !== undefined && !conversational.has(type)) return `is of the type "${type}"`;
  return textOf(message) === '' ? 'has no text' : undefined;
}

/** The types of content that people write and read. Others are thoughts, quotations of pages, and settings. */
const conversational = new Set(['text', 'multimodal_text', 'code']);

function roleOf(message: Record<string, unknown>): string {
  return (isObject(message.author) ? textIn(message.author.role) : undefined) ?? 'unknown';
}

/** The text of a message. A part is a text or an object: an image, or what was said, which has its text. */
function textOf(message: Record<string, unknown>): string {
  if (!isObject(message.content)) return '';
  const { parts, text } = message.content;
  const texts = Array.isArray(parts) ? parts.map((part) => (isObject(part) ? part.text : part)) : [text];
  return texts.flatMap((one) => textIn(one) ?? []).join('\n\n');
}
