import { isJsonObject } from '../../input/json-object.ts';
import { given, leftOut, listFormat, type Message } from './list.ts';

type Fields = Record<string, unknown>;

/**
 * Reads conversations.json of an export of ChatGPT. The messages of a conversation are a tree, because questions can be asked
 * anew; what the person saw last is the path to `current_node`. Each message of the person or the assistant is a memory, the
 * conversation is its session.
 */
export const readChatGpt = listFormat('conversation of ChatGPT', (conversation) => {
  const { mapping, current_node: current } = conversation;
  if (!isJsonObject(mapping)) return undefined;
  const sessionId = conversation.conversation_id ?? conversation.id;
  return pathTo(mapping, typeof current === 'string' ? current : lastLeaf(mapping)).flatMap(
    (node): Message[] => {
      const message = node.message;
      if (!isJsonObject(message)) return []; // the root has none
      const content = textOf(message.content);
      if (!isShown(message) || content === '') return [leftOut];
      const { model_slug: model } = isJsonObject(message.metadata) ? message.metadata : ({} as Fields);
      return [
        {
          content,
          source: 'chatgpt',
          sessionId,
          createdAt: message.create_time ?? conversation.create_time,
          metadata: given({ role: roleOf(message), title: conversation.title, model }),
        },
      ];
    },
  );
});

/** The nodes from the root to this one. */
function pathTo(mapping: Fields, leaf: string | undefined): Fields[] {
  const path: Fields[] = [];
  const seen = new Set<string>(); // a circle would never end
  for (let id = leaf; id !== undefined && !seen.has(id); ) {
    seen.add(id);
    const node = mapping[id];
    if (!isJsonObject(node)) break;
    path.unshift(node);
    id = typeof node.parent === 'string' ? node.parent : undefined;
  }
  return path;
}

/** The node without children that comes last in the file. */
function lastLeaf(mapping: Fields): string | undefined {
  const leaves = Object.entries(mapping).filter(
    ([, node]) => isJsonObject(node) && !(Array.isArray(node.children) && node.children.length > 0),
  );
  return leaves.at(-1)?.[0];
}

const roleOf = ({ author }: Fields) => (isJsonObject(author) ? author.role : undefined);

/** Instructions of the system, calls of tools and their answers are in the file, but were not shown as messages. */
function isShown(message: Fields): boolean {
  const role = roleOf(message);
  const isHidden =
    isJsonObject(message.metadata) && message.metadata.is_visually_hidden_from_conversation === true;
  const isForTool = typeof message.recipient === 'string' && message.recipient !== 'all';
  return (role === 'user' || role === 'assistant') && !isHidden && !isForTool && message.weight !== 0;
}

/** The text of a message. Other parts are pictures and files. */
function textOf(content: unknown): string {
  if (!isJsonObject(content)) return '';
  const parts = Array.isArray(content.parts) ? content.parts : [content.text];
  return parts
    .flatMap((part) => (isJsonObject(part) ? [part.text] : [part]))
    .filter((part): part is string => typeof part === 'string' && part.trim() !== '')
    .join('\n\n');
}
