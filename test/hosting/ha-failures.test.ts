import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { TestClock } from '../support/clock.js';
import { call } from '../support/http.js';
import { hasRedis } from '../support/redis.js';
import type { Supervisor } from '../support/supervisor.js';
import { until, World } from '../support/world.js';
import { startThreePanels, type ThreePanels } from './support/three-panels.js';

// Redis is what lets panels be several; .ci/run installs it.
describe.skipIf(!hasRedis && process.env['CI'] === undefined)('three processes', () => {
  let panels: ThreePanels;
  let nodes: Supervisor;
  beforeAll(async () => {
    panels = await startThreePanels();
    ({ nodes } = panels);
  }, 240_000);
  afterAll(async () => {
    await panels[Symbol.asyncDispose]();
  });

  const administratorAt = async (url: string) => new World(url, new TestClock()).administrator();

  test('the leader killed, and the next one frozen: another leads in seconds, and the list tells of each', async () => {
    await until(async () => (await nodes.ready()).length === 3, 'all to be ready', 60_000);
    interface Shown {
      haStatus: { leader: string | null; status: string; nodes: number; lastFailover: string };
      haNodes: {
        name: string;
        role: string;
        status: string;
        epoch: number | null;
        leases: { name: string }[];
      }[];
    }
    // Of whoever answers: a frozen process takes connections and says nothing.
    const at = async (node: string) => {
      const token = await administratorAt(nodes.urlOf(node));
      const query =
        '{ haStatus { leader status nodes lastFailover } haNodes { name role status epoch leases { name } } }';
      const { body } = await call<{ data: Shown }>(`${nodes.urlOf(node)}/graphql`, {
        token,
        body: { query },
      });
      return body.data;
    };
    const { leader: first } = (await at('one')).haStatus;
    const [second, third] = ['one', 'two', 'three'].filter((node) => node !== first);
    const shownOf = ({ haNodes }: Shown, node: string) => haNodes.find(({ name }) => name === node)!;

    const before = (await at(second!)).haStatus.lastFailover;
    const killedAt = performance.now();
    await nodes.of(first!).kill('SIGKILL');
    let shown = await at(second!);
    await until(
      async () => {
        shown = await at(second!);
        return (
          shown.haStatus.leader !== null &&
          shown.haStatus.leader !== first &&
          shown.haStatus.lastFailover !== before
        );
      },
      'another leader',
      30_000,
    );
    // The end of a process is seen at once; its leases are taken at the next look for them, five seconds later at most.
    expect(performance.now() - killedAt).toBeLessThan(20_000);
    expect(shown.haStatus).toMatchObject({ status: 'DEGRADED', nodes: 2 });
    expect(shownOf(shown, first!)).toMatchObject({ status: 'OFFLINE', role: 'FOLLOWER', epoch: null });

    const next = shown.haStatus.leader!;
    const last = next === second ? third! : second!;
    nodes.of(next).signal('SIGSTOP');
    try {
      await until(
        async () => {
          shown = await at(last);
          // Leases end one by one.
          return shownOf(shown, last).leases.length === 5 && shownOf(shown, next).status === 'OFFLINE';
        },
        'the last one to lead',
        60_000,
      );
      expect(shown.haStatus.nodes).toBe(1);
    } finally {
      nodes.of(next).signal('SIGCONT');
    }
    await until(
      async () => shownOf((shown = await at(last)), next).status === 'HEALTHY',
      'the frozen one to be back',
      60_000,
    );
    expect(shownOf(shown, next)).toMatchObject({ role: 'FOLLOWER', epoch: null });
    expect(shown.haStatus.leader).toBe(last);

    // Started anew it is another process: the one that was killed is told of for a while, and missed no more.
    await nodes.start(first!, nodes.versions.get(first!)!);
    await until(
      async () => (shown = await at(last)).haStatus.status === 'HEALTHY',
      'the killed one to be back',
      60_000,
    );
    expect(shown.haStatus.nodes).toBe(3);
    expect(shown.haNodes.filter(({ name }) => name === first).map((node) => node.status)).toEqual([
      'HEALTHY',
      'OFFLINE',
    ]);
  }, 300_000);
});
