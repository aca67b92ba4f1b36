import { OperatorError } from '#platform/errors.js';
import { createLogger } from '#platform/logger.js';

import { envFileWarnings } from './env-file.js';
import type { PanelOptions } from './panel.js';
import type { RunningProcess } from './running-process.js';
import { panelSettings } from './settings.js';

type Source = Readonly<Record<string, string | undefined>>;

/** The settings of a whole panel from one environment; throws one EnvError for all that is wrong. */
export function panelOptions(source: Source): PanelOptions {
  const env = panelSettings(source);
  return { ...env, logger: createLogger(env.panel.LOG_LEVEL) };
}

// What a start, or a command that ends by itself, may still take after a signal.
const finishWithinMs = 15_000;
// Service managers that signal all processes of a service reach us twice: npm hands its signal on as well.
const sameSignalMs = 1_000;
/**
 * Says to who supervises the process that it is to be started anew, as another version where there is one (EX_TEMPFAIL of
 * sysexits.h).
 */
export const restartExitCode = 75;
const exitCodes: Partial<Record<NodeJS.Signals, number>> = { SIGINT: 130, SIGTERM: 143 };

/**
 * Runs a command to its end: what the operator can mend is printed without a stack, and SIGTERM or SIGINT stop what it
 * started, or a start that only waits. Exit codes: 0 ended as asked, 75 ended to be started anew, 1 it could not start, could
 * not go on or did not stop in its time; 130 or 143 after a second signal, which ends the process at once.
 */
export async function run(
  command: (stopped: AbortSignal) => Promise<Omit<RunningProcess, 'url'> | void>,
): Promise<void> {
  for (const warning of envFileWarnings(process.execArgv)) process.stderr.write(`Warning: ${warning}\n`);
  let running: Omit<RunningProcess, 'url'> | void;
  let signalledAt: number | undefined;
  let finishing: NodeJS.Timeout | undefined;
  const stopped = new AbortController();

  /** Ends the process by `stop`, or by force when that takes too long. */
  function end(stop: () => Promise<void>, withinMs: number, exitCode: 0 | 1 | 75): void {
    setTimeout(() => {
      fail(`Did not stop within ${withinMs / 1000} s: ended with work unfinished.`);
    }, withinMs);
    stop().then(() => process.exit(exitCode), fail);
  }
  function onSignal(signal: NodeJS.Signals): void {
    const now = performance.now();
    if (signalledAt !== undefined) {
      if (now - signalledAt > sameSignalMs) process.exit(exitCodes[signal] ?? 1);
      return;
    }
    signalledAt = now;
    process.stderr.write(`${signal}: stopping\n`);
    if (running) return end(running.stop, running.stopWithinMs, 0);
    // Of a start under way the end is awaited, unless it but waits: only then is it known what there is to stop.
    stopped.abort();
    finishing = setTimeout(() => {
      fail(`Not done ${finishWithinMs / 1000} s after the signal: ended.`);
    }, finishWithinMs).unref();
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, onSignal);

  try {
    running = await command(stopped.signal);
  } catch (error) {
    if (stopped.signal.aborted && error instanceof Error && error.name === 'AbortError') process.exit(0);
    fail(error);
  }
  if (!running) {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.off(signal, onSignal);
    return;
  }
  clearTimeout(finishing);
  const { stop, stopWithinMs, failed, restart } = running;
  if (signalledAt !== undefined) end(async () => stop({ isFailing: true }), stopWithinMs, 0);
  void restart?.then(() => {
    if (signalledAt !== undefined) return;
    signalledAt = performance.now();
    process.stderr.write('Told to be started anew: stopping\n');
    end(stop, stopWithinMs, restartExitCode);
  });
  void failed?.then((error) => {
    process.stderr.write(`${wordsOf(error)}\n`);
    end(async () => stop({ isFailing: true }), stopWithinMs, 1);
  });
}

function fail(error: unknown): never {
  process.stderr.write(`${wordsOf(error)}\n`);
  process.exit(1);
}

function wordsOf(error: unknown): string {
  if (error instanceof OperatorError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
