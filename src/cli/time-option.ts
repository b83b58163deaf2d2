import { FunesError, quote } from '../errors.ts';

/**
 * Parses a time as the API does; its package is loaded for nothing else here.
 * @param option what the command calls it, and what else it may be: `--expires must be`.
 * @throws FunesError BAD_USER_INPUT
 */
export async function parseTimeOption(text: string, option: string): Promise<Date> {
  const { GraphQLDateTime } = await import('graphql-scalars');
  try {
    return GraphQLDateTime.parseValue(text);
  } catch (cause) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `${option} a date with a time and a zone, such as 2027-01-31T00:00:00Z, not ${quote(text)}.`,
      { cause },
    );
  }
}
