import { join } from 'node:path';

import { createAgent } from '#agent/agent.js';
import { systemClock } from '#agent/clock.js';
import { demoFleet } from '#agent/fleet.js';
import { simulatedMetrics } from '#agent/metrics/simulated.js';
import { fileStateStore, type StateStore } from '#agent/state-store.js';
import type { Logger } from '#platform/logger.js';

export interface DemoFleetOptions {
  panelUrl: string;
  enrollmentToken: string;
  stateDir: string;
  logger: Logger;
}

const firstBeatWithinMs = 1_000;

/** Starts the demo's nodes; each enrolls once and keeps its credential in a file, so that a new start finds it again. */
export async function startDemoFleet(options: DemoFleetOptions): Promise<{ stop(): Promise<void> }> {
  const agents = demoFleet.map((profile) =>
    createAgent({
      panelUrl: options.panelUrl,
      enrollmentToken: options.enrollmentToken,
      name: profile.name,
      hostname: profile.hostname,
      version: profile.version,
      stateStore: atThisAddress(
        fileStateStore(join(options.stateDir, `${profile.name}.json`)),
        options.panelUrl,
      ),
      metrics: simulatedMetrics(profile, { clock: systemClock }),
      logger: options.logger,
      firstBeatWithinMs,
    }),
  );
  await Promise.all(agents.map((agent) => agent.start()));
  return {
    stop: async () => {
      await Promise.all(agents.map((agent) => agent.stop()));
    },
  };
}

/** The demo may come back on another port; its nodes belong to the same panel all the same. */
function atThisAddress(store: StateStore, panelUrl: string): StateStore {
  return {
    ...store,
    load: async () => {
      const state = await store.load();
      return state && { ...state, panelUrl };
    },
  };
}
