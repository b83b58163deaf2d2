/** What to use instead of a name that graphql does not know. */
export interface Replacement {
  /** Names of the API. Those that fit in the place of the wrong name are recommended. */
  names: readonly string[];
  /** What a client must know of them; continues a sentence. */
  remark?: string;
}

/** Makes a table of all names that people bring from other products. */
function tableOf(...entries: [broughtNames: string, Replacement][]): ReadonlyMap<string, Replacement> {
  return new Map(
    entries.flatMap(([brought, replacement]) =>
      brought.split(' ').map((name): [string, Replacement] => [name, replacement]),
    ),
  );
}

/** Arguments, in lower case and without underscores. */
export const argumentNames: ReadonlyMap<string, Replacement> = tableOf(
  [
    'limit topk k n count first size pagesize perpage take top num numresults nresults maxresults',
    { names: ['k', 'first'], remark: 'which says how many to return' },
  ],
  [
    'offset skip page from start cursor after before',
    { names: ['after'], remark: 'which takes the cursor behind which to read on' },
  ],
  ['where filter filterby conditions condition', { names: ['filters'] }],
  [
    'query q input prompt search searchtext querytext content',
    { names: ['text'], remark: 'which is what to search for' },
  ],
  ['embedding queryvector queryembedding', { names: ['vector'] }],
  ['sort sortby order orderby', { names: ['orderBy'] }],
  ['last', { names: ['first'], remark: 'with orderBy in the other direction' }],
);

/** Fields of inputs and options that are no operators. */
export const inputNames: ReadonlyMap<string, Replacement> = tableOf(
  ['text memory message body value data', { names: ['content'] }],
  ['user owner', { names: ['userId'] }],
  ['session conversationid threadid', { names: ['sessionId'] }],
  ['importance', { names: ['importanceScore'] }],
  ['name title', { names: ['filename', 'toolName'] }],
  [
    'threshold scorethreshold similaritythreshold minscore minsimilarity cutoff',
    { names: ['maxDistance'], remark: 'which is a distance: less is nearer' },
  ],
);

/** Fields of queries and mutations. */
export const rootNames: ReadonlyMap<string, Replacement> = tableOf(
  ['addmemory storememory savememory insertmemory add remember', { names: ['createMemory'] }],
  ['addmemories', { names: ['createMemories'] }],
  ['search searchmemories searchmemory query similar', { names: ['similarMemories', 'recall'] }],
  ['adddocument createdocument uploaddocument', { names: ['ingestDocument'] }],
  ['addtool createtool', { names: ['registerTool'] }],
);

/** Operators of filters, in lower case and without underscores or dollar signs. */
export const operatorNames: ReadonlyMap<string, Replacement> = tableOf(
  ['equal equals equalto is', { names: ['eq'] }],
  ['neq notequal notequals isnot not', { names: ['ne'] }],
  ['nin', { names: ['notIn'] }],
  ['any anyof oneof', { names: ['in'] }],
  ['after min greaterthan', { names: ['gt', 'gte'] }],
  ['before max lessthan', { names: ['lt', 'lte'] }],
  ['ge from since', { names: ['gte'] }],
  ['le to until', { names: ['lte'] }],
  ['between range', { names: ['gte', 'lte'] }],
  ['exists isnull null', { names: ['eq', 'ne'], remark: 'with null' }],
  [
    'like ilike regex regexp match matches search includes has icontains text',
    { names: ['contains', 'startsWith'], remark: 'where case counts and no character is a wildcard' },
  ],
  ['prefix beginswith istartswith', { names: ['startsWith'] }],
);

/** The form in which names are looked up in the tables. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/[_$]/g, '');
}
