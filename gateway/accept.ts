import type { IncomingHttpHeaders } from 'node:http';

/** How a client takes answers: in JSON, as Server-Sent Events, or the one for results and the other for events. */
export type Accepted = 'json' | 'stream' | 'either';

const jsonRanges: ReadonlySet<string> = new Set([
  'application/graphql-response+json',
  'application/json',
  'application/*',
  '*/*',
]);

export function acceptedBy({ headers }: { headers: IncomingHttpHeaders }): Accepted {
  const ranges = rangesOf(headers);
  if (!ranges.includes('text/event-stream')) return 'json';
  return ranges.some((range) => jsonRanges.has(range)) ? 'either' : 'stream';
}

/** The handler has refused what accepts neither; the first that fits wins, as it decides for its own answers. */
export function mediaTypeOf(headers: IncomingHttpHeaders): string {
  const first = rangesOf(headers).find((range) => jsonRanges.has(range));
  return first === 'application/graphql-response+json' ? first : 'application/json';
}

function rangesOf({ accept = '*/*' }: IncomingHttpHeaders): string[] {
  return accept
    .toLowerCase()
    .split(',')
    .map((range) => range.split(';', 1)[0]!.trim());
}
