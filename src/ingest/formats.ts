import { extname } from 'node:path';
import { FunesError, quote } from '../errors.ts';

/** The usual extension of a format without the dot. It is stored as the file type of a document. */
export type FormatName = 'txt' | 'md' | 'html' | 'pdf' | 'docx' | 'pptx' | 'xlsx' | 'csv';

/** A file format of documents. How its text is extracted is in `extract/extract.ts`. */
export interface DocumentFormat {
  name: FormatName;
  /** Other extensions, and media types, in lower case. */
  aliases: readonly string[];
  /** Whether a file of the format is text, so that a client can send it as a string too. */
  isText: boolean;
}

const office = 'application/vnd.openxmlformats-officedocument';

/** All formats that can be ingested. */
export const documentFormats: readonly DocumentFormat[] = [
  { name: 'txt', aliases: ['text', 'text/plain'], isText: true },
  { name: 'md', aliases: ['markdown', 'text/markdown', 'text/x-markdown'], isText: true },
  { name: 'html', aliases: ['htm', 'xhtml', 'text/html', 'application/xhtml+xml'], isText: true },
  { name: 'pdf', aliases: ['application/pdf'], isText: false },
  { name: 'docx', aliases: [`${office}.wordprocessingml.document`], isText: false },
  { name: 'pptx', aliases: [`${office}.presentationml.presentation`], isText: false },
  { name: 'xlsx', aliases: [`${office}.spreadsheetml.sheet`], isText: false },
  { name: 'csv', aliases: ['tsv', 'text/csv', 'text/tab-separated-values'], isText: true },
];

/** What to do with formats that people have and that cannot be read. */
const advice: Record<string, string> = {
  doc: 'Save it as docx in an office program.',
  xls: 'Save it as xlsx in an office program.',
  ppt: 'Save it as pptx in an office program.',
  odt: 'Save it as docx in an office program.',
  ods: 'Save it as xlsx in an office program.',
  odp: 'Save it as pptx in an office program.',
  rtf: 'Save it as docx in an office program.',
  'application/msword': 'Save it as docx in an office program.',
  'application/vnd.ms-excel': 'Save it as xlsx in an office program.',
  'application/vnd.ms-powerpoint': 'Save it as pptx in an office program.',
};

/**
 * Finds the format of a document by `fileType` (an extension or a media type, in upper or lower case). Without a `fileType`,
 * the extension of `filename` decides; a name without an extension means plain text.
 *
 * @throws FunesError BAD_USER_INPUT that names the supported formats, for any other format.
 */
export function formatOf(filename: string, fileType?: string | null): DocumentFormat {
  const said = fileType?.trim() || extname(filename) || 'txt';
  const name = said.replace(/^\./, '').replace(/;.*$/s, '').trim().toLowerCase();
  const format = documentFormats.find((one) => one.name === name || one.aliases.includes(name));
  if (format) return format;
  const source = fileType?.trim() ? 'fileType is' : `The file ${quote(filename)} has the extension`;
  throw new FunesError(
    'BAD_USER_INPUT',
    `${source} ${quote(said)}, which cannot be ingested. Supported are ` +
      `${documentFormats.map(namesOf).join('; ')}, and their media types. ` +
      (advice[name] ?? 'Convert the file, or set fileType to the one that it has.'),
  );
}

/** The extensions of a format, for people. */
function namesOf({ name, aliases }: DocumentFormat): string {
  return [name, ...aliases.filter((alias) => !alias.includes('/'))].join(' or ');
}

/**
 * Decodes base64 (RFC 4648, standard or URL-safe alphabet, white space allowed, padding optional).
 * @param name the input path of the value, for the error.
 * @throws FunesError BAD_USER_INPUT for anything else.
 */
export function decodeBase64(value: string, name: string): Uint8Array {
  const digits = value.replace(/\s+/g, '').replace(/={1,2}$/, '');
  const wrong = /[^A-Za-z0-9+/_-]/u.exec(digits);
  if (wrong || digits.length % 4 === 1) {
    const reason = wrong ? `has the character ${quote(wrong[0])}` : 'was cut off';
    throw new FunesError(
      'BAD_USER_INPUT',
      `${name} is not base64: it ${reason}. Encode the file's bytes again.`,
    );
  }
  return Buffer.from(digits, 'base64');
}
