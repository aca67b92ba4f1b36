import { elapsedBy, type Clock } from './clock.js';
import type { AgentLogger } from './logger.js';

/** A clock that is corrected bit by bit is never this far from where it was expected to be. */
const setMs = 5_000;

/**
 * When readings were taken. The panel works out from a beat how far the node's clock is off, and takes that off the times
 * of all that comes along; by its time it also knows a reading that comes a second time. So those that wait to be told,
 * and the beat that tells them, go by one clock, which runs on as it did when the first of them was taken, whatever the
 * machine's is set to meanwhile. With nothing left to tell it is the machine's again.
 */
export class Timeline {
  #start: { at: number; elapsed: number } | undefined;
  #last = -Infinity;
  /** How far the machine's clock is from this one. */
  #offMs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly log: AgentLogger,
  ) {}

  /** The time of a reading taken now; no two have the same. */
  next(isAnyWaiting: boolean): Date {
    const machine = this.clock.now().getTime();
    const elapsed = elapsedBy(this.clock);
    const expected = this.#start === undefined ? machine : this.#start.at + elapsed - this.#start.elapsed;
    this.#watch(machine - expected);
    if (this.#start === undefined || !isAnyWaiting) {
      this.#start = { at: machine, elapsed };
      this.#offMs = 0;
      this.#last = machine;
      return new Date(machine);
    }
    this.#last = Math.max(expected, this.#last + 1);
    return new Date(this.#last);
  }

  #watch(offMs: number): void {
    const setBy = offMs - this.#offMs;
    this.#offMs = offMs;
    if (Math.abs(setBy) > setMs)
      this.log.info({ bySeconds: Math.round(setBy / 1000) }, 'The clock of this machine was set');
  }
}
