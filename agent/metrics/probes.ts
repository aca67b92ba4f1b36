import { within } from '../within.js';

/**
 * Asks the machine for figures. One that fails is told of and has no figure; one that hangs, as whatever touches a file
 * server that is gone does, is not asked again before it has answered: each question would hold a thread for ever, and
 * without one an agent finds no file and no address any more.
 */
export class Probes {
  private readonly hanging = new Set<string>();

  constructor(
    /** Longer than any probe takes on a machine that is well; a hung one must not hold up the beat. */
    private readonly withinMs = 5_000,
  ) {}

  /** The figure, or undefined where there is none, for a reason that `failed` is told. */
  async ask<Figure>(
    name: string,
    read: () => Promise<Figure>,
    failed: (reason: string) => void,
  ): Promise<Figure | undefined> {
    if (this.hanging.has(name)) {
      failed(`${name}: no answer yet to what was asked before`);
      return undefined;
    }
    this.hanging.add(name);
    const work = read().finally(() => this.hanging.delete(name));
    try {
      return await within(this.withinMs, work);
    } catch (error) {
      failed(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }
}
