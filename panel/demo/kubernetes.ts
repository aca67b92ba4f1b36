import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { systemClock } from '#platform/clock.js';
import type { Logger } from '#platform/logger.js';
import { startKubernetesSandbox, type KubernetesSandbox } from '#sandbox/kubernetes/start.js';

/** Its port is the panel's and this. */
const portAbove = 93;

/** A cluster beside the demo, and the file with which kubectl reaches it. */
export interface DemoKubernetes {
  sandbox: KubernetesSandbox;
  kubeconfigPath: string;
}

/**
 * Starts the stand-in for a Kubernetes cluster beside a demo on this port. What it has it keeps in a file, and
 * beside that an administrator's kubeconfig, which nobody else on the machine can read.
 */
export async function startDemoKubernetes(options: {
  panelPort: number;
  dataDir: string;
  logger: Logger;
}): Promise<DemoKubernetes> {
  const { panelPort, dataDir, logger } = options;
  await mkdir(dataDir, { recursive: true });
  const sandbox = await startKubernetesSandbox({
    port: panelPort === 0 ? 0 : panelPort + portAbove,
    clock: systemClock,
    logger,
    stepMs: 2_000,
    stateFile: join(dataDir, 'kubernetes.json'),
  });
  const kubeconfigPath = resolve(dataDir, 'kubeconfig');
  // The mode counts for a new file only.
  await rm(kubeconfigPath, { force: true });
  await writeFile(kubeconfigPath, sandbox.kubeconfig(), { mode: 0o600 });
  return { sandbox, kubeconfigPath };
}
