import type { Logger } from '#platform/logger.js';

import type { PatroniClient } from './client.js';
import type { PatroniView } from './patroni.js';

const everyMs = 2_000;
// A look that is younger answers; one is made otherwise.
const freshMs = 1_000;

/** Looks at Patroni every other second, for all who ask in this process. */
export class PatroniWatch {
  private latest: { view: PatroniView; at: number } | undefined;
  private looking: Promise<PatroniView> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isAway = false;

  constructor(
    readonly client: PatroniClient,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.timer = setInterval(() => void this.look(), everyMs).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** What was seen last, without a call. */
  get seen(): PatroniView | undefined {
    return this.latest?.view;
  }

  async view(): Promise<PatroniView> {
    if (this.latest && performance.now() - this.latest.at < freshMs) return this.latest.view;
    return this.look();
  }

  /** Looks now, whatever is known. */
  async look(): Promise<PatroniView> {
    this.looking ??= this.ask().finally(() => (this.looking = undefined));
    return this.looking;
  }

  private async ask(): Promise<PatroniView> {
    let view: PatroniView;
    try {
      view = await this.client.view();
      this.isAway = false;
    } catch (error) {
      if (!this.isAway) this.logger.warn({ err: error }, 'Patroni does not answer');
      this.isAway = true;
      const nothing = {
        members: [],
        isSynchronous: null,
        isPaused: false,
        mostLagBytes: 0,
        lastFailover: null,
      };
      view = { ...(this.latest?.view ?? nothing), problem: 'Patroni does not answer' };
    }
    this.latest = { view, at: performance.now() };
    return view;
  }
}
