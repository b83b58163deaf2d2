const written = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2}(?:\.\d+)?)?)?(Z|[+-]\d{2}:\d{2})?$/i;

/** Returns the point in time that somebody may have meant, as the API takes it. Undefined if that is not clear. */
export function completeTime(value: unknown): string | undefined {
  if (typeof value === 'number') {
    // Milliseconds, or seconds, which no number of milliseconds since 1973 could be.
    const date = new Date(Math.abs(value) < 1e11 ? value * 1000 : value);
    return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
  }
  if (typeof value !== 'string') return undefined;
  const [, day = '', minutes = '00:00', seconds = ':00', zone = 'Z'] = written.exec(value.trim()) ?? [];
  const time = `${day}T${minutes}${seconds}${zone.toUpperCase()}`;
  return isDay(day) && !Number.isNaN(Date.parse(time)) ? time : undefined;
}

/** Returns the first moment of a day and that of the next day. Undefined for a text that is not only a day. */
export function dayOf(value: unknown): { begin: string; end: string } | undefined {
  if (typeof value !== 'string' || !isDay(value)) return undefined;
  const begin = `${value}T00:00:00Z`;
  const end = new Date(Date.parse(begin) + 86_400_000).toISOString().replace('.000', '');
  return { begin, end };
}

function isDay(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  // JavaScript takes the 30th of February for a day in March.
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}
