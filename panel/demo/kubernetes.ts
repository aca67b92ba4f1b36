import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { systemClock } from '#platform/clock.js';
import type { Logger } from '#platform/logger.js';
import { startKubernetesSandbox, type KubernetesSandbox } from '#sandbox/kubernetes/start.js';

/** Its port is the panel's and this. */
const portAbove = 93;

/** Starts the stand-in for a Kubernetes cluster beside a demo on this port. What it has it keeps in a file. */
export async function startDemoKubernetes(options: {
  panelPort: number;
  dataDir: string;
  logger: Logger;
}): Promise<KubernetesSandbox> {
  const { panelPort, dataDir, logger } = options;
  await mkdir(dataDir, { recursive: true });
  return startKubernetesSandbox({
    port: panelPort === 0 ? 0 : panelPort + portAbove,
    clock: systemClock,
    logger,
    stepMs: 2_000,
    stateFile: join(dataDir, 'kubernetes.json'),
  });
}
