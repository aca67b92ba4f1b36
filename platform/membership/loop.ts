import type { Clock } from '../clock.js';
import { patience, withPatience, type Patience } from '../database/patience.js';
import type { Logger } from '../logger.js';
import { untilRound } from '../rounds.js';
import type { Grant, Lease } from './lease.js';

export interface LoopOptions {
  name: string;
  lease: Lease;
  clock: Clock;
  logger: Logger;
  /** The pause after a turn that left nothing to do; up to a second less, as pauses end together. */
  everyMs: number;
  /** Those of the background unless told. */
  deadlines?: Patience;
  /** One turn under the grant; answers 'more' to be run again at once. When the loop ends it begins nothing new. */
  turn(grant: Grant, ending: AbortSignal): Promise<'more' | 'done'>;
  /** Resolves early when there may be something to do before the pause is over. */
  woken?: (signal: AbortSignal) => Promise<void>;
}

/** Repeats a turn for as long as this process holds the lease. A turn that fails is logged and tried at the next one. */
export class SingletonLoop {
  private readonly ending = new AbortController();
  private running: Promise<void> | undefined;

  constructor(private readonly options: LoopOptions) {}

  start(): void {
    this.running = this.run();
  }

  /** Lets the turn under way finish. */
  async stop(): Promise<void> {
    this.ending.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { lease } = this.options;
    const { signal } = this.ending;
    while (!signal.aborted) {
      await lease.held(signal);
      const grant = lease.current;
      if (!grant || signal.aborted) continue;
      if ((await this.turn(grant)) === 'done') await this.pause(signal);
    }
  }

  private async turn(grant: Grant): Promise<'more' | 'done'> {
    const { name, logger, deadlines = patience.background } = this.options;
    try {
      return await withPatience(deadlines, async () => this.options.turn(grant, this.ending.signal));
    } catch (error) {
      if (!this.ending.signal.aborted) logger.error({ err: error, step: name }, 'a background step failed');
      return 'done';
    }
  }

  private async pause(ending: AbortSignal): Promise<void> {
    const { clock, everyMs, woken } = this.options;
    if (!woken) return untilRound(clock, everyMs, ending);
    const over = new AbortController();
    const signal = AbortSignal.any([ending, over.signal]);
    await Promise.race([untilRound(clock, everyMs, signal), woken(signal)]);
    over.abort();
  }
}
