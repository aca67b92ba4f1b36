import { z } from 'zod';

import { createAgent, type Agent } from './agent.js';
import type { Clock } from './clock.js';
import type { AgentLogger } from './logger.js';
import { simulatedMetrics } from './metrics/simulated.js';
import type { StateStore } from './state-store.js';
import { cloudOsVersion } from './version.js';

/** What a simulated machine needs to know beside its user data. */
export interface MachineOptions {
  readonly userData: string;
  readonly stateStore: StateStore;
  readonly clock: Clock;
  readonly logger: AgentLogger;
  readonly firstBeatWithinMs?: number;
}

const document = z.object({
  write_files: z.array(z.object({ path: z.string(), content: z.string() })).default([]),
});

const enrollment = z.object({
  panel_url: z.url(),
  token: z.string(),
  name: z.string(),
  hostname: z.string(),
});

/** The part of cloud-init and of the installer that matters to a panel: the file with the enrollment. */
function enrollmentIn(userData: string): z.infer<typeof enrollment> | undefined {
  const [head, ...rest] = userData.split('\n');
  if (head?.trim() !== '#cloud-config') return undefined;
  const { write_files: files } = document.parse(JSON.parse(rest.join('\n')));
  const file = files.find(({ path }) => path === '/etc/quazzar/enrollment.json');
  return file && enrollment.parse(JSON.parse(file.content));
}

/**
 * A machine that boots with the panel's cloud-init: it becomes a node that enrolls with the token in it and beats.
 * Answers undefined where the user data asks for nothing of the kind.
 */
export async function bootMachine(options: MachineOptions): Promise<Agent | undefined> {
  const found = enrollmentIn(options.userData);
  if (!found) return undefined;
  const { panel_url: panelUrl, token, name, hostname } = found;
  const { stateStore, clock, logger, firstBeatWithinMs } = options;
  const profile = {
    name,
    hostname,
    version: cloudOsVersion,
    appsCount: 0,
    cpuPercent: 6,
    memoryPercent: 18,
    diskPercent: 9,
    cpuCores: 2,
    memoryGb: 8,
  };
  const agent = createAgent({
    panelUrl,
    enrollmentToken: token,
    name,
    hostname,
    version: cloudOsVersion,
    stateStore,
    metrics: simulatedMetrics(profile, { clock }),
    clock,
    logger,
    ...(firstBeatWithinMs === undefined ? {} : { firstBeatWithinMs }),
  });
  await agent.start();
  return agent;
}
