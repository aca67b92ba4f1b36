import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { createAgent } from '#agent/agent.js';
import { systemClock } from '#agent/clock.js';
import { CommandRunner } from '#agent/commands/runner.js';
import { demoFleet } from '#agent/fleet.js';
import { simulatedMetrics, type SimulatedProfile } from '#agent/metrics/simulated.js';
import { fileStateStore, type StateStore } from '#agent/state-store.js';
import type { Logger } from '#platform/logger.js';

export interface DemoFleetOptions {
  panelUrl: string;
  /** Where browsers find the panel. */
  publicUrl: string;
  enrollmentToken: string;
  stateDir: string;
  logger: Logger;
}

const firstBeatWithinMs = 1_000;

// The first two keep the reference's host names, for show; the others can be signed in to.
const forShow = 2;

/** Where a demo node serves its sign-in: fixed, as it enrolls with the address, and apart for panels on other ports. */
export function demoNodeUrl(panelUrl: string, index: number): string | undefined {
  return index < forShow ? undefined : `http://127.0.0.1:${Number(new URL(panelUrl).port) + 100 + index}`;
}

export interface DemoFleet {
  /** The nodes with their instances' ids, as far as they have enrolled; waits for those that are at it. */
  enrolled(withinMs: number): Promise<{ id: string; profile: SimulatedProfile }[]>;
  stop(): Promise<void>;
}

/** Starts the demo's nodes; each enrolls once and keeps its credential in a file, so that a new start finds it again. */
export async function startDemoFleet(options: DemoFleetOptions): Promise<DemoFleet> {
  const runners: CommandRunner[] = [];
  const agents = demoFleet.map((profile, index) => {
    const baseUrl = demoNodeUrl(options.panelUrl, index);
    let { version } = profile;
    const commands = new CommandRunner({
      logger: options.logger,
      onUpdated: (updated) => (version = updated),
    });
    runners.push(commands);
    return createAgent({
      panelUrl: options.panelUrl,
      issuer: options.publicUrl,
      enrollmentToken: options.enrollmentToken,
      name: profile.name,
      hostname: profile.hostname,
      version: () => version,
      onCommand: async (command, report) => commands.run(command, report),
      listen: true,
      stateStore: atThisAddress(
        fileStateStore(join(options.stateDir, `${profile.name}.json`)),
        options.panelUrl,
      ),
      metrics: simulatedMetrics(profile, { clock: systemClock }),
      logger: options.logger,
      firstBeatWithinMs,
      ...(baseUrl === undefined ? {} : { baseUrl, signIn: true }),
    });
  });
  await Promise.all(agents.map((agent) => agent.start()));
  return {
    enrolled: async (withinMs) => {
      for (const end = Date.now() + withinMs; Date.now() < end && agents.some((agent) => !agent.instanceId);)
        await sleep(50);
      return agents.flatMap(({ instanceId }, index) =>
        instanceId === undefined ? [] : [{ id: instanceId, profile: demoFleet[index]! }],
      );
    },
    stop: async () => {
      for (const runner of runners) runner.stop();
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
