import type { Metrics } from './metrics/source.js';

/** One reading with its place in the node's sequence. */
export interface Sample {
  readonly sequence: number;
  readonly takenAt: Date;
  readonly metrics: Metrics;
}

/** The readings the panel has not had yet, oldest first; when full, the oldest make room. */
export class SampleBuffer {
  readonly #samples: Sample[] = [];

  constructor(private capacity: number) {}

  get size(): number {
    return this.#samples.length;
  }

  push(sample: Sample): void {
    this.#samples.push(sample);
    this.#trim();
  }

  oldest(count: number): readonly Sample[] {
    return this.#samples.slice(0, count);
  }

  /** Forgets `samples`, which the panel has taken or will never take. */
  remove(samples: readonly Sample[]): void {
    const last = samples.at(-1);
    if (last === undefined) return;
    const kept = this.#samples.findIndex(({ sequence }) => sequence > last.sequence);
    this.#samples.splice(0, kept === -1 ? this.#samples.length : kept);
  }

  resize(capacity: number): void {
    this.capacity = capacity;
    this.#trim();
  }

  #trim(): void {
    if (this.#samples.length > this.capacity) this.#samples.splice(0, this.#samples.length - this.capacity);
  }
}
