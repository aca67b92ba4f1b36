import type { Clock } from '#platform/clock.js';

interface Sleeper {
  at: number;
  wake: () => void;
}

/** A clock that stands still until a test moves it. Starts at the machine's time, so that other clocks agree with it. */
export class TestClock implements Clock {
  private time = Math.floor(Date.now() / 1000) * 1000;
  private sleepers: Sleeper[] = [];

  now(): Date {
    return new Date(this.time);
  }

  async delay(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { at: this.time + ms, wake: resolve };
      this.sleepers.push(sleeper);
      const abort = () => {
        this.sleepers = this.sleepers.filter((other) => other !== sleeper);
        reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
      };
      if (signal?.aborted) abort();
      else signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /**
   * Moves time on and wakes whoever waited for it, earliest first. A long way (over ten minutes) is gone in 80 strides:
   * a loop that would have run a million times in seventy days runs at the end of each stride. To whoever looks whether
   * time was missed that is a sleep each; the last five minutes are gone as they pass, so that all is as usual at the end.
   */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    if (ms > 600_000) {
      await this.move(end - 300_000, ms / 80);
      // What a step that was woken does takes real time.
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await this.move(end, 0);
  }

  private async move(end: number, stride: number): Promise<void> {
    for (;;) {
      const first = Math.min(...this.sleepers.map(({ at }) => at));
      if (first > end) break;
      this.time = Math.min(end, Math.max(this.time, first + stride));
      const due = this.sleepers.filter(({ at }) => at <= this.time).toSorted((a, b) => a.at - b.at);
      this.sleepers = this.sleepers.filter(({ at }) => at > this.time);
      for (const { wake } of due) wake();
      // Lets whoever was woken run as far as it gets, so that it may sleep again within this advance.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.time = end;
  }

  /** Moves time on in one go, as after a machine's sleep: whoever waited wakes once, however often it would have. */
  async leap(ms: number): Promise<void> {
    this.time += ms;
    const due = this.sleepers.filter(({ at }) => at <= this.time);
    this.sleepers = this.sleepers.filter(({ at }) => at > this.time);
    for (const { wake } of due) wake();
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Moves time on second by second until it is so, for steps that were at work when time was moved past them. */
  async advanceUntil(isSo: () => boolean, atMostMs = 60_000): Promise<void> {
    for (const end = this.time + atMostMs; !isSo();) {
      if (this.time >= end) throw new Error(`moved time on by ${atMostMs} ms in vain`);
      await this.advance(1_000);
      // A step that was woken does real work; it gets real time for it before the clock moves on.
      for (let look = 0; look < 25 && !isSo(); look += 1)
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
