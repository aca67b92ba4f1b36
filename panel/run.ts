import { readAll } from '#platform/env.js';
import { OperatorError } from '#platform/errors.js';
import { createLogger } from '#platform/logger.js';
import { fleetEnv } from '#subgraphs/fleet/env.js';
import { identityEnv } from '#subgraphs/identity/env.js';

import { panelEnv } from './env.js';
import type { PanelOptions } from './panel.js';

type Source = Readonly<Record<string, string | undefined>>;

/** The settings of a whole panel from one environment; throws one EnvError for all that is wrong. */
export function panelOptions(source: Source): PanelOptions {
  const env = readAll({ panel: panelEnv, identity: identityEnv, fleet: fleetEnv }, source);
  return { ...env, logger: createLogger(env.panel.LOG_LEVEL) };
}

/**
 * Runs a command to its end: what the operator can mend is printed without a stack, and SIGTERM or SIGINT stop what it
 * started. A second signal ends the process at once.
 */
export async function run(command: () => Promise<{ stop(): Promise<void> } | void>): Promise<void> {
  try {
    const running = await command();
    if (!running) return;
    let isStopping = false;
    const stop = (signal: NodeJS.Signals) => {
      if (isStopping) process.exit(130);
      isStopping = true;
      process.stderr.write(`${signal}: stopping\n`);
      running.stop().then(
        () => process.exit(0),
        (error: unknown) => fail(error),
      );
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  } catch (error) {
    fail(error);
  }
}

function fail(error: unknown): never {
  const text =
    error instanceof OperatorError
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error);
  process.stderr.write(`${text}\n`);
  process.exit(1);
}
