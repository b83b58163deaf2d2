/** Writes a value as a cursor: a text that clients pass on and need not read. */
export function encodeCursor(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** Reads the value that `encodeCursor` wrote. Returns undefined for a text that is no cursor. The caller checks the value. */
export function decodeCursor(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
