import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { systemClock as agentClock } from '#agent/clock.js';
import { bootMachine } from '#agent/machine.js';
import { fileStateStore } from '#agent/state-store.js';
import { systemClock } from '#platform/clock.js';
import type { Logger } from '#platform/logger.js';
import { startHetznerSandbox, type HetznerSandbox } from '#sandbox/hetzner/start.js';

export interface DemoHetzner {
  sandbox: HetznerSandbox;
  /** Of the demo's project. */
  token: string;
  /** By which a panel finds it. */
  settings: Record<string, string>;
}

/** Its port is the panel's and this. */
const portAbove = 91;

/**
 * Starts the stand-in for Hetzner Cloud beside a demo on this port. What it has it keeps in a file, and its servers run
 * simulated nodes, which are the same ones again after a restart.
 */
export async function startDemoHetzner(options: {
  panelPort: number;
  dataDir: string;
  logger: Logger;
}): Promise<DemoHetzner> {
  const { panelPort, dataDir, logger } = options;
  // Before the panel makes it for its own.
  await mkdir(dataDir, { recursive: true });
  const sandbox = await startHetznerSandbox({
    port: panelPort === 0 ? 0 : panelPort + portAbove,
    clock: systemClock,
    stateFile: join(dataDir, 'hetzner.json'),
    timing: { createMs: 4_000, startMs: 3_000 },
    logger,
    boot: ({ id, userData }) =>
      bootMachine({
        userData,
        stateStore: fileStateStore(resolve(dataDir, 'machines', `${id}.json`)),
        clock: agentClock,
        logger,
        firstBeatWithinMs: 1_000,
      }),
  });
  const token = sandbox.token({ project: 'demo' });
  return { sandbox, token, settings: { HETZNER_API_BASE: sandbox.url } };
}
