import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { systemClock as agentClock } from '#agent/clock.js';
import { bootMachine } from '#agent/machine.js';
import { fileStateStore } from '#agent/state-store.js';
import { systemClock } from '#platform/clock.js';
import { settingOf, type EnvSource } from '#platform/env.js';
import type { Logger } from '#platform/logger.js';
import type { CloudSandbox, CloudSandboxOptions } from '#sandbox/cloud/start.js';
import { startDigitalOceanSandbox } from '#sandbox/digitalocean/start.js';
import { startHetznerSandbox } from '#sandbox/hetzner/start.js';

export interface DemoProvider {
  /** As the panel names it. */
  id: string;
  name: string;
  sandbox: CloudSandbox;
  /** Of the demo's project. */
  token: string;
}

interface Kind {
  id: string;
  name: string;
  start: (options: CloudSandboxOptions) => Promise<CloudSandbox>;
  /** By which a panel finds it. */
  setting: string;
  /** Its port is the panel's and this. */
  portAbove: number;
}

const kinds: readonly Kind[] = [
  {
    id: 'hetzner',
    name: 'Hetzner Cloud',
    start: startHetznerSandbox,
    setting: 'HETZNER_API_BASE',
    portAbove: 91,
  },
  {
    id: 'digitalocean',
    name: 'DigitalOcean',
    start: startDigitalOceanSandbox,
    setting: 'DIGITALOCEAN_API_BASE',
    portAbove: 92,
  },
];

/** Those of whose API `settings` does not say where it is. */
export function standInsFor(settings: EnvSource): readonly Kind[] {
  return kinds.filter(({ setting }) => settingOf(settings, setting) === undefined);
}

/**
 * Starts stand-ins for providers of servers beside a demo on this port. What they have they keep in files, and their servers
 * run simulated nodes, which are the same ones again after a restart.
 */
export async function startDemoProviders(options: {
  kinds: readonly Kind[];
  panelPort: number;
  dataDir: string;
  logger: Logger;
}): Promise<{ all: readonly DemoProvider[]; settings: Record<string, string>; stop(): Promise<void> }> {
  const { panelPort, dataDir, logger } = options;
  // Before the panel makes it for its own.
  await mkdir(dataDir, { recursive: true });
  const all: DemoProvider[] = [];
  const settings: Record<string, string> = {};
  const stop = async () => {
    for (const { sandbox } of all) await sandbox.stop();
  };
  try {
    for (const { id, name, start, setting, portAbove } of options.kinds) {
      const sandbox = await start({
        port: panelPort === 0 ? 0 : panelPort + portAbove,
        clock: systemClock,
        stateFile: join(dataDir, `${id}.json`),
        timing: { createMs: 4_000, startMs: 3_000 },
        logger,
        boot: ({ id: machine, userData }) =>
          bootMachine({
            userData,
            stateStore: fileStateStore(resolve(dataDir, 'machines', id, `${machine}.json`)),
            clock: agentClock,
            logger,
            firstBeatWithinMs: 1_000,
          }),
      });
      all.push({ id, name, sandbox, token: sandbox.token({ project: 'demo' }) });
      settings[setting] = sandbox.url;
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { all, settings, stop };
}
