import { isJsonObject } from '../../input/json-object.ts';
import { given, listFormat } from './list.ts';

/** Reads what `get_all` of mem0 returns: an object with `results`, or a list. A run is a session. */
export const readMem0 = listFormat(
  'memory of mem0',
  (entry) => {
    if (typeof entry.memory !== 'string') return undefined;
    const { memory, user_id: userId, run_id: run, agent_id: agentId, app_id: appId, categories } = entry;
    const metadata = isJsonObject(entry.metadata) ? entry.metadata : {};
    return [
      {
        content: memory,
        source: 'mem0',
        userId,
        sessionId: run,
        createdAt: entry.created_at,
        updatedAt: entry.updated_at,
        metadata: { ...metadata, ...given({ agentId, appId, categories }) },
      },
    ];
  },
  { key: 'results' },
);
