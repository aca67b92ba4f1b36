import type { Clock } from '../clock.js';

export interface CommandResult {
  readonly isSuccess: boolean;
  readonly output: string;
  readonly exitCode: number;
}

export interface CommandRun {
  readonly params: Readonly<Record<string, unknown>>;
  readonly clock: Clock;
  /** Aborted when the agent stops. */
  readonly signal: AbortSignal;
  /** Tells the panel how far it is, in percent, and what it prints. Waits for the panel, but not for its consent. */
  readonly progress: (percent: number, line: string) => Promise<void>;
}

/** Does one kind of command. What it throws fails the command, with its message as the output. */
export type CommandHandler = (run: CommandRun) => Promise<CommandResult>;

export function succeeded(output: string): CommandResult {
  return { isSuccess: true, output, exitCode: 0 };
}
