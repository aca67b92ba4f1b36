import { setTimeout as sleep } from 'node:timers/promises';

import type { Logger } from '#platform/logger.js';

/**
 * How to read this table: after the grace (DRAIN_SECONDS, in which /readyz already says 503 and everything is answered
 * as before) stopping goes through these phases from top to bottom. What belongs to a phase is stopped at once, and
 * what has not ended within its time is cut. Nothing outside can make it longer: no client, and no database.
 */
export const phases = [
  // No job and no step is begun any more; those under way end while all that they call still answers, by way of gateways
  // this very process among them. Jobs that are late are left to another attempt, and steps go on meanwhile.
  { name: 'work', withinMs: 1_500 },
  // WebSockets are told and spread, requests under way are answered, connections are closed.
  { name: 'clients', withinMs: 4_500 },
  // The leases are given up, which another process takes at once.
  { name: 'background', withinMs: 1_000 },
  { name: 'subgraphs', withinMs: 2_000 },
  { name: 'database', withinMs: 5_500 },
] as const;

export type Phase = (typeof phases)[number]['name'];

/** After the grace and this time the process ends, whatever it is still at. */
export const stopWithinMs = 15_000;

interface Step {
  phase: Phase;
  name: string;
  stop: () => unknown;
  cut: () => void;
}

export interface ShutdownOptions {
  graceMs: number;
  logger: Logger;
}

/** What a process has started and how it ends, in one bounded time. */
export class Shutdown {
  private readonly steps: Step[] = [];
  private readonly announcements: (() => void)[] = [];
  private stopping: Promise<void> | undefined;

  constructor(private readonly options: ShutdownOptions) {}

  /** From the moment on at which this process asks to be sent nothing more. */
  get isStopping(): boolean {
    return this.stopping !== undefined;
  }

  /** How long `stop` may take before the process has to be ended by force. */
  get withinMs(): number {
    return this.options.graceMs + stopWithinMs;
  }

  /** Called when stopping begins, before the grace. */
  onAnnounce(announce: () => void): void {
    this.announcements.push(announce);
  }

  /** `stop` is called in its phase; `cut` when that phase is over and `stop` has not ended. */
  add(phase: Phase, name: string, stop: () => unknown, cut: () => void = () => undefined): void {
    this.steps.push({ phase, name, stop, cut });
  }

  /** Ends everything. Safe to call again: all calls wait for the same end. A failing start has no use for the grace. */
  async stop({ isFailing = false } = {}): Promise<void> {
    this.stopping ??= this.run(isFailing ? 0 : this.options.graceMs);
    await this.stopping;
  }

  private async run(graceMs: number): Promise<void> {
    for (const announce of this.announcements) announce();
    if (graceMs > 0) await sleep(graceMs);
    const failures: unknown[] = [];
    for (const { name, withinMs } of phases) {
      const steps = this.steps.filter(({ phase }) => phase === name);
      const outcomes = await Promise.allSettled(steps.map(async (step) => this.end(step, withinMs)));
      for (const outcome of outcomes) if (outcome.status === 'rejected') failures.push(outcome.reason);
    }
    // The rest has been stopped all the same.
    if (failures.length > 0) throw failures[0];
  }

  private async end({ phase, name, stop, cut }: Step, withinMs: number): Promise<void> {
    if (await within(withinMs, Promise.resolve().then(stop))) return;
    this.options.logger.warn({ phase, withinMs }, `stopping: ${name} took too long and was cut`);
    cut();
  }
}

/** Whether the work ended in time. It goes on otherwise, and nobody hears of its failure. */
export async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  const over = new AbortController();
  try {
    return await Promise.race([
      work.then(() => true),
      sleep(ms, false, { signal: over.signal }).catch(() => false),
    ]);
  } finally {
    over.abort();
  }
}
