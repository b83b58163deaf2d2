import type { GraphQLArgument, GraphQLField, GraphQLInputField, GraphQLInputObjectType } from 'graphql';
import type { Draw } from './draw.ts';
import { EnumValue, type Value } from './values.ts';

// What the types of the schema cannot say: what goes together. Without these rules most operations would be refused before
// they do anything. A rule never takes away what an operation is made for.

type Values = Record<string, Value>;

/** The value as an input object; undefined for a wrong value in its stead. */
const asInput = (value: Value | undefined): Values | undefined =>
  typeof value === 'object' && value?.constructor === Object ? (value as Values) : undefined;

const isGiven = (values: Values, name: string): boolean => values[name] != null;

/** Takes away what is given of `names`, but for one: the wanted one if it is among them. */
function keepOne(values: Values, names: readonly string[], wanted: string | undefined, draw: Draw): void {
  const given = names.filter((name) => isGiven(values, name));
  if (given.length < 2) return;
  const kept = given.find((name) => name === wanted) ?? draw.pick(given);
  for (const name of given) if (name !== kept) delete values[name];
}

/** Makes arguments of one field agree; `make` draws a value for one that is missing. */
export function settleArguments(
  field: GraphQLField<unknown, unknown>,
  args: Values,
  wanted: string | undefined,
  draw: Draw,
  make: (arg: GraphQLArgument) => Value,
): Values {
  const add = (name: string) => {
    const arg = field.args.find((one) => one.name === name);
    if (arg !== undefined && !isGiven(args, name)) args[name] = make(arg);
  };
  const has = (name: string) => field.args.some((arg) => arg.name === name);
  if (has('options')) settleSearch(field.name, args, wanted, draw, { add, has });
  if (field.name === 'recall') settleRecall(args, wanted);
  if (field.name === 'forgetUser') settleForgetting(args, wanted, draw);
  if (field.name === 'ingestDocument') settleReplacing(args);
  if (field.name.endsWith('Where')) settleWhere(field.name, args, wanted, draw);
  return args;
}

/** Few users are forgotten for good, and always the same one, so that rows of the others remain. */
function settleForgetting(args: Values, wanted: string | undefined, draw: Draw): void {
  if (wanted !== 'dryRun' || draw.chance(0.7)) args.dryRun = true;
  else if (args.dryRun === false) args.userId = 'Bjørn';
}

/** Few rows are changed for good, so that there remain some. Filters may have no condition, so all are meant otherwise. */
function settleWhere(field: string, args: Values, wanted: string | undefined, draw: Draw): void {
  args.all = true;
  if (wanted !== 'dryRun' || draw.chance(0.7)) args.dryRun = true;
  if (args.dryRun === true) return;
  args.filters =
    field === 'deleteDocumentsWhere' ? { fileSize: { lt: 50 } } : { importanceScore: { lt: 0.05 } };
}

/** Only a document with a path replaces another one by its path. */
function settleReplacing(args: Values): void {
  const { replace } = args;
  if (!(replace instanceof EnumValue) || replace.name !== 'BY_FILE_PATH') return;
  if (!isGiven(asInput(args.input) ?? {}, 'filePath')) args.replace = new EnumValue('BY_FILENAME');
}

interface Arguments {
  add(name: string): void;
  has(name: string): boolean;
}

function settleSearch(
  field: string,
  args: Values,
  wanted: string | undefined,
  draw: Draw,
  { add, has }: Arguments,
): void {
  const options = asInput(args.options);
  const mode = options?.mode instanceof EnumValue ? options.mode.name : 'SEMANTIC';
  if (has('vector')) {
    const needed = { unlike: 'like', vectorModel: 'vector' }[wanted ?? ''] ?? wanted;
    if (wanted === 'vectorModel') add('vector');
    keepOne(args, ['text', 'vector', 'like'], needed, draw);
    if (wanted === 'unlike' || isGiven(args, 'like')) {
      delete args.text;
      delete args.vector;
      add('like');
    } else if (!isGiven(args, 'vector')) add('text');
    if (!isGiven(args, 'like')) delete args.unlike;
    if (!isGiven(args, 'vector')) delete args.vectorModel;
    // Words are those of a text.
    if (mode !== 'SEMANTIC' && !isGiven(args, 'text')) {
      if (wanted === 'options') {
        for (const name of ['vector', 'like', 'unlike']) delete args[name];
        add('text');
      } else delete args.options;
    }
  }
  const others = ['like', 'unlike'].map((name) => args[name]);
  if (others.every(Array.isArray) && wanted !== undefined) {
    const [like, unlike] = others as [Value[], Value[]];
    args.unlike = unlike.filter((id) => !like.includes(id));
  }
  // Only memories have sessions, a time and an importance that count.
  if (!/memor|recall/i.test(field) && field !== 'similar' && options !== undefined) {
    delete options.context;
    delete options.weights;
  }
}

function settleRecall(args: Values, wanted: string | undefined): void {
  const kindOf: Record<string, string> = {
    memories: 'MEMORY',
    chunks: 'CHUNK',
    documents: 'DOCUMENT',
    tools: 'TOOL',
  };
  const options = asInput(args.options);
  const filters = asInput(args.filters);
  if (options !== undefined && 'weights' in options) {
    if (wanted === 'options') {
      args.kinds = [new EnumValue('MEMORY')];
      delete args.filters;
      return;
    }
    delete options.weights;
  }
  const asked = Array.isArray(args.kinds) ? args.kinds : [];
  const names = asked.flatMap((kind) => (kind instanceof EnumValue ? [kind.name] : []));
  const filtered = Object.keys(filters ?? {}).flatMap((name) => kindOf[name] ?? []);
  const context = options !== undefined && 'context' in options ? ['MEMORY'] : [];
  const kinds = new Set([...names, ...filtered, ...context]);
  if (kinds.size > 0 && names.length === asked.length)
    args.kinds = [...kinds].map((name) => new EnumValue(name));
}

/** A client's own vector comes with its model. A wrong value in the stead of either stays alone. */
function settleEmbedding(values: Values, wanted: string | undefined, add: (name: string) => void): void {
  if (wanted === 'embedding' || isGiven(values, 'embedding')) add('embeddingModel');
  else if (wanted === 'embeddingModel') add('embedding');
  else delete values.embeddingModel;
}

/** Makes the fields of one input object agree; `make` draws a value for one that is missing. */
export function settleInput(
  type: GraphQLInputObjectType,
  values: Values,
  wanted: string | undefined,
  draw: Draw,
  make: (field: GraphQLInputField) => Value,
): Values {
  const add = (name: string) => {
    const field = type.getFields()[name];
    if (field !== undefined && !isGiven(values, name)) values[name] = make(field);
  };
  switch (type.name) {
    case 'SearchOptions':
      settleOptions(values, wanted);
      break;
    case 'CreateMemoryInput':
    case 'RegisterToolInput':
    case 'DocumentChunkInput':
      settleEmbedding(values, wanted, add);
      break;
    case 'UpdateMemoryInput':
      settleEmbedding(values, wanted, add);
      keepOne(values, ['metadata', 'mergeMetadata'], wanted, draw);
      break;
    case 'IngestDocumentInput':
    case 'UpdateDocumentInput': {
      keepOne(values, ['metadata', 'mergeMetadata'], wanted, draw);
      if (wanted === 'chunkSize' || wanted === 'overlap') delete values.chunks;
      keepOne(values, ['content', 'contentBase64', 'chunks'], wanted, draw);
      if (isGiven(values, 'chunks')) {
        delete values.chunkSize;
        delete values.overlap;
        break;
      }
      const needsText =
        type.name === 'IngestDocumentInput' ||
        ['chunkSize', 'overlap', 'fileType'].some((name) => name in values);
      if (needsText && !isGiven(values, 'contentBase64')) add('content');
      break;
    }
    case 'ArchiveMemoriesInput':
      // Few are archived for good, so that there remain some.
      if (wanted !== 'dryRun' || draw.chance(0.7)) values.dryRun = true;
      if (!['olderThan', 'importanceBelow', 'filters'].some((name) => isGiven(values, name)))
        add('importanceBelow');
      if (values.dryRun !== true) values.importanceBelow = 0.05;
      break;
    case 'JSONPathFilter':
      if (Object.keys(values).length < 2) add(draw.pick(['exists', 'string', 'number', 'boolean', 'type']));
      break;
  }
  return values;
}

function settleOptions(options: Values, wanted: string | undefined): void {
  const wants = (...names: string[]) => wanted !== undefined && names.includes(wanted);
  if (wants('fusion', 'keywordWeight', 'context')) options.mode = new EnumValue('HYBRID');
  if (wants('efSearch')) options.mode = new EnumValue('SEMANTIC');
  const is = (name: string, value: string) =>
    options[name] instanceof EnumValue && options[name].name === value;
  if (!is('mode', 'HYBRID')) {
    delete options.fusion;
    delete options.keywordWeight;
  }
  if (is('mode', 'KEYWORD')) {
    delete options.efSearch;
    delete options.exact;
  }
  if (wants('context') && is('fusion', 'RANK')) delete options.fusion;
  if (is('fusion', 'RANK')) delete options.context;
  if ('efSearch' in options) {
    if (wants('exact') || ('metric' in options && !wants('efSearch'))) delete options.efSearch;
    else {
      delete options.exact;
      delete options.metric;
    }
  }
}
