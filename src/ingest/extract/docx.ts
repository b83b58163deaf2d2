import mammoth from 'mammoth';
import type { Extraction } from './extraction.ts';
import { htmlToMarkdown } from './html.ts';
import { brokenOfficeFile, unzip } from './zip.ts';

/**
 * Extracts a Word document as Markdown, with a part for each section. Headings are paragraphs in Word's heading styles. Text that
 * was deleted with tracking on, comments, and the heads and feet of pages are left out; notes are at the end.
 */
export async function extractDocx(bytes: Uint8Array): Promise<Extraction> {
  await unzip(bytes, () => false);
  let html: string;
  try {
    const result = await mammoth.convertToHtml(
      { buffer: Buffer.from(bytes) },
      {
        styleMap: ["p[style-name='Title'] => h1:fresh", "p[style-name='Subtitle'] => p:fresh"],
        convertImage: mammoth.images.imgElement(async () => ({ src: '' })),
      },
    );
    html = result.value;
  } catch {
    throw brokenOfficeFile();
  }
  return htmlToMarkdown(html.replace(/<a href="#(?:foot|end)note-ref-[^"]*">↑<\/a>/g, ''));
}
