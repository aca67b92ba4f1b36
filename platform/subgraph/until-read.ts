import { setTimeout as sleep } from 'node:timers/promises';

import { ApiError } from '../errors.js';

interface Told {
  data?: Record<string, unknown> | null;
  errors?: readonly { extensions?: Record<string, unknown> | undefined }[] | undefined;
}

/** How long an event waits for what cannot be read, in milliseconds. */
export interface ReadPatience {
  /** While nothing of it can be told: as long as a database's failover takes, and more. */
  nothing: number;
  /** While a part cannot: it is told without it then, as the other parts are not worth less. */
  part: number;
  /** Before the first further try; twice as long before each one after, up to `longestPause`. */
  pause: number;
  longestPause: number;
}

const standing: ReadPatience = { nothing: 60_000, part: 10_000, pause: 500, longestPause: 4_000 };

/**
 * Reads an event, and again while it is UNAVAILABLE, as it is in an outage of the database: whoever went on after its
 * cursor would never hear of it. Whoever has `left` is read for no more. Many wait for the same outage to end, so their
 * pauses are not alike.
 */
export async function untilRead<Result extends Told>(
  read: (isFirst: boolean) => Promise<Result>,
  left: AbortSignal,
  patience: ReadPatience = standing,
): Promise<Result> {
  const begun = performance.now();
  let { pause } = patience;
  let result = await read(true);
  while (isUnread(result) && !left.aborted) {
    const waitMs = pause * (0.5 + Math.random() / 2);
    const longestMs = isNothing(result) ? patience.nothing : patience.part;
    if (performance.now() - begun + waitMs > longestMs) break;
    await sleep(waitMs, undefined, { signal: left, ref: false }).catch(() => undefined);
    if (left.aborted) break;
    pause = Math.min(pause * 2, patience.longestPause);
    result = await read(false);
  }
  return result;
}

/** Ends the stream of one who would go on after the cursor of an event of which nothing was told. */
export function endIfUntold(told: Told): void {
  if (!isUnread(told) || !isNothing(told)) return;
  throw new ApiError(
    'UNAVAILABLE',
    'An event cannot be read for now; resume the subscription from its last cursor',
    { reason: 'EVENT_UNREAD', retryAfterSeconds: 5 },
  );
}

/** Whether something of it could not be read for now. */
export function isUnread({ errors = [] }: Told): boolean {
  return errors.some(({ extensions }) => extensions?.['code'] === 'UNAVAILABLE');
}

/** Whether nothing at all is told. */
function isNothing({ data }: Told): boolean {
  return data == null || Object.values(data).every((value) => value === null);
}
