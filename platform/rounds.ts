import type { Clock } from './clock.js';

const roundMs = 1_000;

interface Waiter {
  /** In the time of the rounds. */
  from: number;
  wake: () => void;
}

/**
 * Wakes all that look for something again and again, each at its own pace, in the same moments: what they ask then goes in
 * one message (`database/questions.ts`), and a process at rest has one timer for it.
 */
class Rounds {
  private readonly waiting = new Set<Waiter>();
  private readonly began: number;
  /** What has passed by the clock, which never goes back here. */
  private passed = 0;
  private seenAt: number;
  private isTurning = false;

  constructor(private readonly clock: Clock) {
    this.began = this.seenAt = clock.now().getTime();
  }

  async pause(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        this.waiting.delete(waiter);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      // Timers are early or late by a little.
      const waiter: Waiter = { from: this.passed + ms - roundMs / 2, wake };
      this.waiting.add(waiter);
      signal.addEventListener('abort', wake, { once: true });
      if (!this.isTurning) void this.turn();
    });
  }

  private async turn(): Promise<void> {
    this.isTurning = true;
    const start = this.clock.now().getTime();
    this.seenAt = start - this.into(start);
    // Whoever was woken comes back mostly.
    for (let isAnybody = true; isAnybody;) {
      await this.clock.delay(roundMs - this.into(this.clock.now().getTime()));
      const now = this.clock.now().getTime();
      this.passed += now > this.seenAt ? now - this.seenAt : roundMs;
      this.seenAt = now;
      isAnybody = this.waiting.size > 0;
      for (const { from, wake } of this.waiting) if (from <= this.passed) wake();
    }
    this.isTurning = false;
  }

  /** How far the round is at a moment. Each process has its own beginning, so that several do not all ask at the full second. */
  private into(now: number): number {
    return (((now - this.began) % roundMs) + roundMs) % roundMs;
  }
}

const all = new WeakMap<Clock, Rounds>();

/**
 * Resolves at a round when about `ms` of the clock's time have passed since the one before, up to a second sooner than
 * after a pause of its own; at once when the signal ends the wait. For whole seconds.
 */
export async function untilRound(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  const rounds = all.get(clock) ?? new Rounds(clock);
  all.set(clock, rounds);
  await rounds.pause(ms, signal);
}
