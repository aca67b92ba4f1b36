import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { vi } from 'vitest';

import { createAgent } from '#agent/agent.js';
import { systemClock } from '#agent/clock.js';
import { simulatedMetrics } from '#agent/metrics/simulated.js';
import { fileStateStore } from '#agent/state-store.js';
import { silentLogger } from '#platform/logger.js';

import type { TestPanel } from '../../support/panel.js';
import type { Tenant } from '../../support/world.js';
import { clientKnown, freePort } from './oauth.js';

export interface RunningNode extends AsyncDisposable {
  id: string;
  name: string;
  baseUrl: string;
}

/** The reference agent, enrolled and serving its sign-in on a loopback address. */
export async function startNode(
  panel: TestPanel,
  tenant: Tenant,
  name = 'production-01',
): Promise<RunningNode> {
  const folder = mkdtempSync(join(tmpdir(), 'sign-in-node-'));
  const baseUrl = `http://127.0.0.1:${await freePort()}`;
  const profile = {
    name,
    hostname: 'cloud.example.com',
    version: '0.2.9',
    appsCount: 3,
    cpuCores: 2,
    memoryGb: 4,
    cpuPercent: 14,
    memoryPercent: 41,
    diskPercent: 33,
  };
  const agent = createAgent({
    panelUrl: panel.panel.url,
    enrollmentToken: await tenant.enrollmentToken(),
    name,
    hostname: profile.hostname,
    version: profile.version,
    baseUrl,
    signIn: true,
    stateStore: fileStateStore(join(folder, 'state.json')),
    metrics: simulatedMetrics(profile, { clock: systemClock }),
    logger: silentLogger,
    firstBeatWithinMs: 0,
  });
  await agent.start();
  await vi.waitUntil(() => agent.instanceId !== undefined, { timeout: 30_000 });
  const id = agent.instanceId ?? '';
  await clientKnown(panel, id);
  return {
    id,
    name,
    baseUrl,
    [Symbol.asyncDispose]: async () => {
      await agent.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
