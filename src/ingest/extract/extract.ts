import type { FormatName } from '../formats.ts';
import type { Extraction } from './extraction.ts';

/** Extracts the text of a file. @throws UnreadableFile for bytes that do not have the format. */
export type Extract = (bytes: Uint8Array) => Promise<Extraction>;

/** How each format's text is extracted. A format's library is loaded with its first file. */
export const extractors: Record<FormatName, () => Promise<Extract>> = {
  txt: async () => (await import('./text.ts')).extractText,
  md: async () => (await import('./markdown.ts')).extractMarkdown,
  html: async () => (await import('./html.ts')).extractHtml,
  pdf: async () => (await import('./pdf.ts')).extractPdf,
  docx: async () => (await import('./docx.ts')).extractDocx,
  pptx: async () => (await import('./pptx.ts')).extractPptx,
  xlsx: async () => (await import('./xlsx.ts')).extractXlsx,
  csv: async () => (await import('./csv.ts')).extractCsv,
};
