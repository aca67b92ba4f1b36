import type { Logger } from '../logger.js';

// From half a minute on one process refuses what another one has signed.
const tellFromMs = 5_000;

/**
 * By how much this process's clock differs from the database's, which all processes share. Tokens are signed and looked at by
 * processes' own clocks: user tokens of one that is a minute ahead, and tokens between processes of one that is a minute
 * behind, are refused by the others.
 */
export class ClockSkew {
  /** Above zero where this process is ahead. What the answer's way may account for is left out. */
  seconds = 0;
  private isTold = false;

  constructor(private readonly logger: Logger) {}

  /** What the database said its time was, asked at `askedAt` and answered at `answeredAt` by this process's clock. */
  note(databaseAt: number, askedAt: number, answeredAt: number): void {
    const ahead = askedAt > databaseAt ? askedAt - databaseAt : Math.min(0, answeredAt - databaseAt);
    this.seconds = ahead / 1000;
    const { problem } = this;
    if (problem !== undefined && !this.isTold) this.logger.warn({ aheadSeconds: this.seconds }, problem);
    this.isTold = problem !== undefined;
  }

  /** What is wrong, in words; undefined while nothing is. */
  get problem(): string | undefined {
    const off = Math.abs(this.seconds);
    if (off * 1000 < tellFromMs) return undefined;
    const side = this.seconds > 0 ? 'ahead of' : 'behind';
    return `the clock of this process is ${Math.round(off)} s ${side} the database's: set both by NTP, or tokens will be refused`;
  }
}
