import { setTimeout as sleep } from 'node:timers/promises';

import type { Clock } from '#platform/clock.js';
import type { Logger } from '#platform/logger.js';
import type { Sweep } from '#platform/membership/sweep.js';

import type { HearingStore } from './hearing-store.job.js';
import { silenceAt, type HearingState, type Patience, type Silence } from './hearing.rules.js';

export interface HearingOptions {
  store: HearingStore;
  patience: Patience;
  clock: Clock;
  logger: Logger;
  /** False while nodes cannot get through to this process, where something stands before it that may be away. */
  isReached?: () => boolean;
}

/**
 * Whether the panel can hear its nodes, as this process knows it. It says so to the others every few seconds, by a write
 * that fails where beats would. The panel was away when no process could say so for a while: it was stopped, frozen or
 * asleep (the clock jumps), or the database took no writes. What is not known to be heard does not count as silence.
 */
export class Hearing {
  private state: HearingState | undefined;
  /** Since when this process has heard without a break. */
  private since: Date;
  private lookedAt: Date;
  /** Whether the others know of `since`, and what they make of it is in `state`. */
  private isSettled = false;
  private wasReached = true;
  /** In the machine's own time: since when nothing could be stored. It bounds a wait, not anything a node does. */
  private troubledSince: number | undefined;
  private telling: Promise<void> | undefined;
  private hasMore = false;
  private readonly ending = new AbortController();
  private running: Promise<void> | undefined;

  constructor(private readonly options: HearingOptions) {
    this.since = options.clock.now();
    this.lookedAt = this.since;
  }

  /** Resolves once it is known how far silence counts, or could not be found out. */
  async start(): Promise<void> {
    this.since = this.options.clock.now();
    this.lookedAt = this.since;
    this.running = this.run();
    await this.telling;
  }

  async stop(): Promise<void> {
    this.ending.abort();
    await Promise.all([this.running, this.telling]);
  }

  /** How far silence counts. As long as this process is not sure that it hears, as far as it was sure last. */
  at(now: Date): Silence {
    if (!this.state) return { countsTo: new Date(0), gap: null };
    return silenceAt(this.state, this.surely(now));
  }

  /** The moment itself while this process hears, else the last one at which it is known that somebody did. */
  surely(now: Date): Date {
    if (this.isSure(now) || !this.state) return now;
    return new Date(Math.min(now.getTime(), this.state.heardUntil.getTime()));
  }

  /** Whether all silence up to now is known to have been heard, by this process or by another. */
  hears(now: Date): boolean {
    return this.state !== undefined && this.surely(now) >= now;
  }

  private isSure(now: Date): boolean {
    const { toleranceMs } = this.options.patience;
    const isTroubled =
      this.troubledSince !== undefined && performance.now() - this.troubledSince > toleranceMs;
    const isAwake = now.getTime() - this.lookedAt.getTime() <= toleranceMs;
    return this.isSettled && isAwake && !isTroubled && this.isReached();
  }

  /** Looks at once whether nodes get through, and resolves when the others know. */
  async look(): Promise<void> {
    this.note();
    await this.telling;
  }

  private isReached(): boolean {
    return this.options.isReached?.() ?? true;
  }

  private async run(): Promise<void> {
    const { clock, patience } = this.options;
    const { signal } = this.ending;
    while (!signal.aborted) {
      this.note();
      await clock.delay(patience.everyMs, signal).catch(() => undefined);
    }
  }

  /** Notes that this process is awake; a longer time since the last note than the pace allows was a break. */
  private note(): void {
    const now = this.options.clock.now();
    const isReached = this.isReached();
    const wasAway = now.getTime() - this.lookedAt.getTime() > this.options.patience.toleranceMs;
    if (wasAway || (isReached && !this.wasReached)) this.begin(now);
    // A clock that was set back.
    if (now < this.since) this.since = now;
    this.lookedAt = now;
    this.wasReached = isReached;
    if (!isReached) this.isSettled = false;
    this.hasMore = true;
    this.telling ??= this.tell().finally(() => (this.telling = undefined));
  }

  private async stored(since: Date, now: Date): Promise<HearingState> {
    const { store, patience } = this.options;
    const state = await store.hear({ since, now });
    const aheadMs = state.heardUntil.getTime() - this.lookedAt.getTime();
    return aheadMs > patience.toleranceMs + patience.deadlineMs ? store.setBack(state, this.lookedAt) : state;
  }

  private begin(now: Date): void {
    this.since = now;
    this.isSettled = false;
  }

  private async tell(): Promise<void> {
    const { store, patience, clock, logger } = this.options;
    while (this.hasMore) {
      this.hasMore = false;
      const { since } = this;
      this.troubledSince ??= performance.now();
      try {
        const work = this.wasReached ? this.stored(since, this.lookedAt) : store.read();
        const state = await within(patience.toleranceMs, work, this.ending.signal);
        const troubledMs = performance.now() - this.troubledSince;
        this.troubledSince = undefined;
        this.state = state;
        if (troubledMs > patience.toleranceMs) {
          // Beats could not be stored all that time either.
          this.begin(clock.now());
          this.hasMore = true;
        } else if (since === this.since && this.wasReached) {
          this.isSettled = true;
        }
      } catch (error) {
        if (!this.ending.signal.aborted)
          logger.warn({ err: error }, 'it could not be stored that beats are heard');
        return;
      }
    }
  }
}

/** The sweep, left out while it is not known that nodes are heard. */
export function whileHearing(hearing: Hearing, sweep: Sweep): Sweep {
  return {
    ...sweep,
    run: async (step) => (hearing.hears(step.now) ? sweep.run(step) : 'done'),
  };
}

/** Fails after `ms` of the machine's time, or when the signal ends the wait; what it waited for may go on. */
async function within<T>(ms: number, work: Promise<T>, signal: AbortSignal): Promise<T> {
  const over = new AbortController();
  const ending = AbortSignal.any([signal, over.signal]);
  const tooLate = sleep(ms, undefined, { signal: ending, ref: false }).then(() => {
    throw new Error(`no answer within ${ms / 1000} s`);
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    over.abort();
    tooLate.catch(() => undefined);
    work.catch(() => undefined);
  }
}
