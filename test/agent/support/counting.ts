import type { CommandHandler } from '#agent/commands/handler.js';
import { CommandRunner } from '#agent/commands/runner.js';
import { createLogger } from '#agent/logger.js';

/** Passes the time of simulated steps at once. */
export const hurried = { now: () => new Date(), delay: async () => undefined };

/** A runner whose `restart` only counts. */
export function counting(onRun: () => void = () => undefined) {
  const runs: string[] = [];
  const restart: CommandHandler = async () => {
    runs.push('restart');
    onRun();
    return { isSuccess: true, output: 'restarted', exitCode: 0 };
  };
  return {
    runs,
    runner: new CommandRunner({ logger: createLogger('silent'), clock: hurried, handlers: { restart } }),
  };
}
