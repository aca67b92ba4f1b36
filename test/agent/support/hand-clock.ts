import type { Clock } from '#agent/clock.js';

interface Sleeper {
  readonly at: number;
  wake(): void;
}

/** A clock that stands still until a test moves it, and says when somebody waits for it. */
export class HandClock implements Clock {
  #now: number;
  #setBy = 0;
  readonly #sleepers = new Set<Sleeper>();
  #watchers: (() => void)[] = [];

  constructor(now = new Date('2026-05-01T12:00:00Z')) {
    this.#now = now.getTime();
  }

  now(): Date {
    return new Date(this.#now + this.#setBy);
  }

  elapsed(): number {
    return this.#now;
  }

  /** Sets the time of day on or back, which nobody waits for. */
  set(byMs: number): void {
    this.#setBy += byMs;
  }

  delay(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper: Sleeper = {
        at: this.#now + ms,
        wake: () => {
          this.#sleepers.delete(sleeper);
          signal?.removeEventListener('abort', abort);
          resolve();
        },
      };
      const abort = () => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#sleepers.add(sleeper);
      for (const watcher of this.#watchers.splice(0)) watcher();
    });
  }

  /** Resolves once somebody waits; answers how long the first of them has to go. */
  async sleeping(): Promise<number> {
    while (this.#sleepers.size === 0) await new Promise<void>((resolve) => void this.#watchers.push(resolve));
    return Math.min(...[...this.#sleepers].map(({ at }) => at)) - this.#now;
  }

  /** Waits until somebody waits, moves exactly to their moment, and answers how far that was. */
  async wake(): Promise<number> {
    const ms = await this.sleeping();
    this.#now += ms;
    for (const sleeper of [...this.#sleepers].toSorted((a, b) => a.at - b.at)) {
      if (sleeper.at <= this.#now) sleeper.wake();
    }
    return ms;
  }
}
