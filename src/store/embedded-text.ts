/** What the embedded text of a chunk is made of. A row of `document_chunks` fits. */
export interface EmbeddedChunk {
  content: string;
  metadata: Record<string, unknown>;
}

/**
 * Returns the text whose embedding stands for a chunk: the header of its table, if the content does not have that row, and the
 * content. Everything that embeds chunks takes the text from here, so that the vector of a chunk is the same whenever it is made.
 * The column `content_tsv` indexes the same text. The headings above a chunk are not part of it: `npm run bench:chunks` compares.
 */
export function chunkText({ content, metadata: { tableHeader } }: EmbeddedChunk): string {
  // A client can send metadata with chunks of its own, so a header may be anything.
  if (typeof tableHeader !== 'string' || content.includes(tableHeader)) return content;
  return `${tableHeader}\n${content}`;
}

/**
 * Returns the text by which searches find a tool. The name is not split into words: the model reads `get_weather` well,
 * and with split names hit@1 on BFCL's live_multiple was .700 instead of .715.
 */
export function toolText(tool: { toolName: string; toolDescription: string }): string {
  return `${tool.toolName}: ${tool.toolDescription}`;
}
