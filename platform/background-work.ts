import type { Logger } from './logger.js';

/** Work that goes on after its request was answered. What it throws is logged; `settle` waits for all of it. */
export class BackgroundWork {
  private readonly running = new Set<Promise<void>>();

  constructor(private readonly logger: Logger) {}

  run(what: string, work: () => Promise<unknown>): void {
    const running: Promise<void> = work()
      .then(
        () => undefined,
        (error: unknown) => this.logger.error({ err: error }, `${what} failed`),
      )
      .finally(() => this.running.delete(running));
    this.running.add(running);
  }

  async settle(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running);
  }
}
