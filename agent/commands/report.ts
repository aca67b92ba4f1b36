import type { Outcome } from '../panel-client.js';

/** What the panel is told about a command, under the lease it was handed out with. */
export interface CommandReport {
  readonly status: 'in_progress' | 'success' | 'failed';
  /** Everything printed so far. */
  readonly output?: string;
  readonly exit_code?: number;
  /** 0 to 100. */
  readonly progress?: number;
}

/** Tells the panel; never throws. */
export type Report = (report: CommandReport) => Promise<Outcome<undefined>>;

/** The most that the panel takes as output. */
export const maxOutput = 65_536;
