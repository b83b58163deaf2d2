import { isJsonObject } from '../../input/json-object.ts';
import { listFormat } from './list.ts';

/**
 * Reads documents of LangChain in a list or in JSON Lines, as `dumps` or as `to_json` write them, or with their two fields alone. A document there is
 * a text that is found as a whole, so it becomes a memory.
 */
export const readLangChain = listFormat(
  'document of LangChain',
  (entry) => {
    const fields = entry.lc !== undefined && isJsonObject(entry.kwargs) ? entry.kwargs : entry;
    const content = fields.page_content ?? fields.pageContent;
    if (typeof content !== 'string') return undefined;
    return [{ content, source: 'langchain', metadata: fields.metadata }];
  },
  { lines: true },
);
