import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { TestClock } from '../support/clock.js';
import { call } from '../support/http.js';
import { Live } from '../support/live.js';
import { hasRedis } from '../support/redis.js';
import type { Supervisor } from '../support/supervisor.js';
import { until, World, type Tenant } from '../support/world.js';
import { startThreePanels, type ThreePanels } from './support/three-panels.js';

interface Upgrade {
  id: string;
  version: string;
  status: string;
  steps: { node: string; status: string }[];
}

const changes = 'subscription { instanceChanged { name } }';

// Redis is what lets panels be several; .ci/run installs it.
describe.skipIf(!hasRedis && process.env['CI'] === undefined)('three processes and who restarts them', () => {
  let panels: ThreePanels;
  let nodes: Supervisor;
  let token: string;
  beforeAll(async () => {
    panels = await startThreePanels({ DRAIN_SECONDS: '1' });
    ({ nodes } = panels);
    // Good at each of them, and signing in is the dearest that can be asked of a panel.
    token = await new World(nodes.urlOf('one'), new TestClock()).administrator();
  }, 240_000);
  afterAll(async () => {
    await panels[Symbol.asyncDispose]();
  });

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
      await sleep(200);
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

  /** Sends to who is ready, as a proxy does: looks often, and tries another where none takes the connection. */
  class Proxy implements AsyncDisposable {
    /** Whether there was a moment in which more than one was away. */
    isMoreThanOneAway = false;
    private ready: string[] = ['one', 'two', 'three'];
    private turn = 0;
    private isOver = false;
    private readonly looking = this.look();

    async send<Body>(path: string, options: Parameters<typeof call>[1] = {}) {
      for (let attempt = 0; ; attempt += 1) {
        const node = this.ready[(this.turn += 1) % this.ready.length];
        try {
          if (!node) throw new Error('no panel is ready');
          const headers = { connection: 'close', ...options.headers };
          return await call<Body>(nodes.urlOf(node) + path, { ...options, headers });
        } catch (error) {
          const { code } = ((error as Error).cause ?? {}) as { code?: string };
          if (code !== 'ECONNREFUSED' || attempt > 3) throw error;
        }
      }
    }

    get url(): string {
      return nodes.urlOf(this.ready[0]!);
    }

    async [Symbol.asyncDispose](): Promise<void> {
      this.isOver = true;
      await this.looking;
    }

    private async look(): Promise<void> {
      while (!this.isOver) {
        this.ready = await nodes.ready();
        if (this.ready.length < 2) this.isMoreThanOneAway = true;
        // One that is to end says so a second before it takes no more connections.
        await sleep(200);
      }
    }
  }

  /** A dashboard that goes elsewhere when it is sent away, and goes on where it was. */
  async function follow(proxy: Proxy, tenant: Tenant, names: string[], signal: AbortSignal): Promise<void> {
    let after: string | undefined;
    while (!signal.aborted) {
      await using live = new Live(proxy.url, tenant.token, changes, { after });
      let seen = 0;
      while (!signal.aborted && live.error === undefined && !live.isComplete) {
        for (const result of live.results.slice(seen)) {
          names.push((result.data as { instanceChanged: { name: string } }).instanceChanged.name);
          after = result.extensions?.cursor ?? after;
          seen += 1;
        }
        await sleep(20);
      }
      await sleep(50);
    }
  }

  async function untilEnded(
    proxy: Proxy,
    id: string,
    ends: readonly string[],
  ): Promise<Record<string, unknown>> {
    let latest: Record<string, unknown> = {};
    await until(
      async () => {
        await sleep(400);
        const answer = await proxy.send<{ data?: { haUpgrades: Record<string, unknown>[] } }>('/graphql', {
          token,
          body: { query: '{ haUpgrades(first: 1) { id status reason steps { node status fromVersion } } }' },
        });
        latest = answer.body.data?.haUpgrades[0] ?? latest;
        return latest['id'] === id && ends.includes(String(latest['status']));
      },
      `the upgrade to be ${ends.join(' or ')}: ${JSON.stringify(latest)}`,
      200_000,
    );
    return latest;
  }

  test('an upgrade starts each anew, one at a time and the leader last; no request fails, no event is missed', async () => {
    await using proxy = new Proxy();
    nodes.ends.length = 0;
    const { body: before } = await proxy.send<{ data: { haStatus: { leader: string } } }>('/graphql', {
      token,
      body: { query: '{ haStatus { leader } }' },
    });
    const { leader } = before.data.haStatus;
    const order = [...['one', 'three', 'two'].filter((node) => node !== leader), leader];
    const tenant = await (
      await new World(nodes.urlOf('one'), new TestClock()).tenant()
    ).grantPlan('ENTERPRISE');
    const over = new AbortController();
    const told: string[] = [];
    const dashboard = follow(proxy, tenant, told, over.signal);
    const token1 = await tenant.enrollmentToken({ max_uses: 1000 });
    const answers = new Map<string, number>();
    const enrolled: string[] = [];
    const load = async (path: string) => {
      while (!over.signal.aborted) {
        const outcome = await proxy.send(path, { token: tenant.token }).then(
          ({ status }) => String(status),
          (error: Error) => `${error.message}: ${String(error.cause)}`,
        );
        answers.set(outcome, (answers.get(outcome) ?? 0) + 1);
        await sleep(150);
      }
    };
    const loads = [
      load('/api/fleet/summary'),
      load('/api/fleet/instances'),
      (async () => {
        while (!over.signal.aborted) {
          const name = `during-${enrolled.length}`;
          const outcome = await proxy
            .send('/api/agent/enroll', {
              body: { token: token1, name, hostname: `${name}.test`, version: '2.0.0' },
            })
            .then(({ status }) => String(status), String);
          answers.set(outcome, (answers.get(outcome) ?? 0) + 1);
          if (outcome === '201') enrolled.push(name);
          await sleep(500);
        }
      })(),
    ];
    await until(async () => enrolled.length > 0, 'the load to begin');

    for (const node of ['one', 'two', 'three']) nodes.versions.set(node, '2.0.0');
    const asked = await call<Upgrade>(`${nodes.urlOf('two')}/api/cc/ha/upgrade`, {
      token,
      body: { version: '2.0.0' },
    });
    expect([asked.status, asked.body]).toEqual([
      201,
      {
        id: expect.stringMatching(/^upg_/) as unknown,
        version: '2.0.0',
        status: 'running',
        steps: order.map((node) => ({ node, status: 'pending' })),
      },
    ]);
    const again = await call(`${nodes.urlOf('one')}/api/cc/ha/upgrade`, {
      token,
      body: { version: '2.0.0' },
    });
    expect(again.status).toBe(409);

    expect(await untilEnded(proxy, asked.body.id, ['SUCCEEDED', 'PAUSED'])).toMatchObject({
      status: 'SUCCEEDED',
      reason: null,
      steps: order.map((node) => ({ node, status: 'HEALTHY', fromVersion: '1.0.0' })),
    });
    // What was enrolled last is told of as well.
    const last = enrolled.at(-1)!;
    await until(async () => told.includes(last), 'the last one to be told of');
    over.abort();
    await Promise.all(loads);
    await dashboard;
    expect(told).toContain(last);
    expect([...answers.keys()].toSorted()).toEqual(['200', '201']);
    expect(proxy.isMoreThanOneAway).toBe(false);
    const seen = told.filter((name) => enrolled.includes(name));
    expect(seen).toEqual(enrolled.filter((name) => seen.includes(name)));
    expect(new Set(seen)).toEqual(new Set(enrolled.slice(0, seen.length)));
    expect(nodes.ends).toEqual(order.map((node) => ({ node, code: 75 })));
    const list = await proxy.send<{ name: string; version: string; status: string }[]>('/api/cc/ha/nodes', {
      token,
    });
    expect(
      list.body.filter(({ status }) => status === 'healthy').map(({ name, version }) => [name, version]),
    ).toEqual([
      ['one', '2.0.0'],
      ['three', '2.0.0'],
      ['two', '2.0.0'],
    ]);
  }, 300_000);
});
