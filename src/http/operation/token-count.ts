/** How many tokens a document has, and which field of its operations has the most within it. */
export interface TokenCount {
  tokens: number;
  /** Whether the document has more tokens, which were not counted. */
  more: boolean;
  dearest: { field: string; tokens: number } | undefined;
}

/** A comment, a block string's beginning, a string, or any other token. A block string's end is looked for by itself. */
const token = /#[^\n\r]*|"""|"(?:[^"\\\n\r]|\\.)*"?|\.\.\.|[!$&()[\]{}:=@|]|[A-Za-z_]\w*|-?\d[\w.+-]*/g;

/**
 * Counts the tokens of a document that has too many to be parsed, up to `most`. Only a count that is as fast as this may tell a
 * client how far above the limit it is: graphql's lexer makes an object of each token.
 */
export function countTokens(document: string, most: number): TokenCount {
  const within = new Map<string, number>();
  let [tokens, braces, others] = [0, 0, 0];
  let [field, before] = ['', ''];
  token.lastIndex = 0;
  for (let match = token.exec(document); match; match = token.exec(document)) {
    const [text] = match;
    if (text.startsWith('#')) continue;
    if (tokens === most) return { tokens, more: true, dearest: dearestOf(within) };
    tokens++;
    if (text === '"""') token.lastIndex = endOfBlock(document, token.lastIndex);
    // The field of an alias is behind the colon.
    if (braces === 1 && others === 0 && /^[A-Za-z_]/.test(text) && !/^(@|\.\.\.|on)$/.test(before))
      field = text;
    if (field !== '') within.set(field, (within.get(field) ?? 0) + 1);
    if (text === '{') braces++;
    else if (text === '}' && --braces === 0) field = '';
    else if (text === '(' || text === '[') others++;
    else if (text === ')' || text === ']') others--;
    before = text;
  }
  return { tokens, more: false, dearest: dearestOf(within) };
}

function dearestOf(within: ReadonlyMap<string, number>): TokenCount['dearest'] {
  let dearest: TokenCount['dearest'];
  for (const [field, tokens] of within) if (tokens > (dearest?.tokens ?? 0)) dearest = { field, tokens };
  return dearest;
}

/** Where a block string ends that began before `start`. */
function endOfBlock(document: string, start: number): number {
  for (let from = start; ; ) {
    const end = document.indexOf('"""', from);
    if (end < 0) return document.length;
    if (document[end - 1] !== '\\') return end + 3;
    from = end + 3;
  }
}
