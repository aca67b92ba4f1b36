/** A node that has not beaten for this many of the offered intervals is offline. */
export const missedIntervals = 3;

/** What is kept of when the panel, as all its processes together, could hear its nodes. */
export interface HearingState {
  /** It can until then at least; moved on every few seconds by each process that takes beats. */
  heardUntil: Date;
  /** When it last could not hear any more: deadlines that had passed by then have passed. */
  lostAt: Date;
  /** One full deadline after it could hear again. What fell due since `lostAt` counts as silence from here on. */
  countsAgainAt: Date;
}

/** How far the silence of nodes counts at a moment. */
export interface Silence {
  /** A node whose deadline is here or earlier is offline. The moment itself, unless the panel was away just now. */
  countsTo: Date;
  /** The newest time in which the panel could not hear. */
  gap: Pick<HearingState, 'lostAt' | 'countsAgainAt'> | null;
}

/** All silence counts, as where nothing is known of a time in which the panel was away. */
export function undisturbed(at: Date): Silence {
  return { countsTo: at, gap: null };
}

/** How far silence counts; `fleet.silence_counts_to` is the same in SQL. */
export function silenceAt(state: Omit<HearingState, 'heardUntil'>, at: Date): Silence {
  const { lostAt, countsAgainAt } = state;
  const countsTo = at < countsAgainAt && lostAt < at ? lostAt : at;
  return { countsTo, gap: { lostAt, countsAgainAt } };
}

/** Since when a node counts as offline: its deadline, or the end of the patience after the panel was away over it. */
export function offlineSince(deadline: Date, { gap }: Silence): Date {
  if (!gap || deadline <= gap.lostAt || deadline >= gap.countsAgainAt) return deadline;
  return gap.countsAgainAt;
}

/** How patient the panel is with its nodes and with itself, in milliseconds. */
export interface Patience {
  /** How long nodes have after it can hear again. */
  deadlineMs: number;
  /** It was away when it could not hear for longer than this. */
  toleranceMs: number;
  /** How often each process says that it hears. */
  everyMs: number;
}

/**
 * A gap of half an interval cannot make a node miss three beats, so it is none; below five seconds it is not told from a
 * busy machine, unless the intervals are as short. A node that beats at its pace is never that close to its deadline.
 */
export function patienceFor(heartbeatSeconds: number): Patience {
  const interval = heartbeatSeconds * 1000;
  const toleranceMs = Math.min(Math.max(5_000, interval / 2), 1.5 * interval);
  return { deadlineMs: missedIntervals * interval, toleranceMs, everyMs: toleranceMs / 5 };
}
