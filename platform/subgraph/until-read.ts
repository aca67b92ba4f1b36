import { setTimeout as sleep } from 'node:timers/promises';

import { databaseAwayReason } from '../database/outage.js';
import { ApiError } from '../errors.js';

interface Told {
  data?: Record<string, unknown> | null;
  errors?: readonly { extensions?: Record<string, unknown> | undefined }[] | undefined;
}

/** How long a stream of events waits for what cannot be read, in milliseconds. */
export interface ReadPatience {
  /** While nothing of an event can be told: as long as a database's failover takes, and more. */
  nothing: number;
  /** While a part cannot: it is told without it then, as the other parts are not worth less. */
  part: number;
  /** Before the first further try; twice as long before each one after, up to `longestPause`. */
  pause: number;
  longestPause: number;
}

const standing: ReadPatience = { nothing: 60_000, part: 10_000, pause: 500, longestPause: 4_000 };

const unreadReason = 'EVENT_UNREAD';
/** Reasons that say nothing of the event itself: nobody can read any just now. */
const outages: ReadonlySet<unknown> = new Set([databaseAwayReason, unreadReason]);

/**
 * Reads the events of one stream, each again while it is UNAVAILABLE, as it is in an outage of the database: whoever went
 * on after its cursor would never hear of it. Whoever has `left` is read for no more. Many wait for the same outage to
 * end, so their pauses are not alike.
 */
export class EventReader {
  /**
   * What was waited for in vain since an event was last read whole. It is not waited for again: the events behind would
   * come more slowly than they happen.
   */
  private readonly inVain = new Set<'nothing' | 'part'>();

  constructor(
    private readonly left: AbortSignal,
    private readonly patience: ReadPatience = standing,
  ) {}

  async read<Result extends Told>(attempt: () => Promise<Result>): Promise<Result> {
    const { left, patience, inVain } = this;
    const begun = performance.now();
    let { pause } = patience;
    let result = await attempt();
    while (isUnread(result) && !left.aborted) {
      const waitMs = pause * (0.5 + Math.random() / 2);
      const lacking = isNothing(result) ? 'nothing' : 'part';
      if (inVain.has(lacking) || performance.now() - begun + waitMs > patience[lacking]) {
        inVain.add(lacking);
        break;
      }
      await sleep(waitMs, undefined, { signal: left, ref: false }).catch(() => undefined);
      if (left.aborted) break;
      pause = Math.min(pause * 2, patience.longestPause);
      result = await attempt();
    }
    if (!isUnread(result)) inVain.clear();
    return result;
  }
}

/**
 * Ends the stream of one who would go on after the cursor of an event of which an outage lets nothing be told. What is
 * UNAVAILABLE for anything else, such as a statement that takes too long, may be so for ever: that is told, or whoever
 * resumes would hear of nothing behind it.
 */
export function endIfUntold(told: Told): void {
  const isOutage = told.errors?.some((error) => outages.has(error.extensions?.['reason'])) ?? false;
  if (isOutage && isNothing(told)) throw eventUnread();
}

/** Why a stream ends before an event, which is told first to whoever resumes it. */
export function eventUnread(cause?: unknown): ApiError {
  return new ApiError(
    'UNAVAILABLE',
    'An event cannot be read for now; resume the subscription from its last cursor',
    { reason: unreadReason, retryAfterSeconds: 5, cause },
  );
}

/** Whether something of it could not be read for now. */
export function isUnread({ errors = [] }: Told): boolean {
  return errors.some(({ extensions }) => extensions?.['code'] === 'UNAVAILABLE');
}

/** Whether nothing at all is told. */
export function isNothing({ data }: Told): boolean {
  return data == null || Object.values(data).every((value) => value === null);
}
