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
  beforeAll(async () => {
    panels = await startThreePanels({ DRAIN_SECONDS: '1' });
    ({ nodes } = panels);
  }, 240_000);
  afterAll(async () => {
    await panels[Symbol.asyncDispose]();
  });

  /** Sends to who is ready, as a proxy does: looks often, and tries another where none takes the connection. */
  class Proxy implements AsyncDisposable {
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
        await sleep(100);
      }
    }
  }

  const administratorAt = async (url: string) => new World(url, new TestClock()).administrator();

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
        const answer = await proxy.send<{ data?: { haUpgrades: Record<string, unknown>[] } }>('/graphql', {
          token: await administratorAt(proxy.url),
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
    const token = await administratorAt(nodes.urlOf('one'));
    const tenant = await (
      await new World(nodes.urlOf('one'), new TestClock()).tenant()
    ).grantPlan('ENTERPRISE');
    const over = new AbortController();
    const told: string[] = [];
    const dashboard = follow(proxy, tenant, told, over.signal);
    const token1 = await tenant.enrollmentToken({ max_uses: 1000 });
    const answers = new Map<string, number>();
    const enrolled: string[] = [];
    let isMoreThanOneAway = false;
    const load = async (path: () => [string, Parameters<typeof call>[1]]) => {
      while (!over.signal.aborted) {
        const [to, options] = path();
        const outcome = await proxy.send(to, { token: tenant.token, ...options }).then(
          ({ status }) => String(status),
          (error: Error) => `${error.message}: ${String(error.cause)}`,
        );
        answers.set(outcome, (answers.get(outcome) ?? 0) + 1);
        await sleep(40);
      }
    };
    const loads = [
      load(() => ['/api/fleet/summary', {}]),
      load(() => ['/api/fleet/instances', {}]),
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
      (async () => {
        while (!over.signal.aborted) {
          if ((await nodes.ready()).length < 2) isMoreThanOneAway = true;
          await sleep(200);
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
        steps: [
          { node: 'three', status: 'pending' },
          { node: 'two', status: 'pending' },
          { node: 'one', status: 'pending' },
        ],
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
      steps: ['three', 'two', 'one'].map((node) => ({ node, status: 'HEALTHY', fromVersion: '1.0.0' })),
    });
    // What was enrolled last is told of as well.
    const last = enrolled.at(-1)!;
    await until(async () => told.includes(last), 'the last one to be told of');
    over.abort();
    await Promise.all(loads);
    await dashboard;
    expect(told).toContain(last);
    expect([...answers.keys()].toSorted()).toEqual(['200', '201']);
    expect(isMoreThanOneAway).toBe(false);
    const seen = told.filter((name) => enrolled.includes(name));
    expect(seen).toEqual(enrolled.filter((name) => seen.includes(name)));
    expect(new Set(seen)).toEqual(new Set(enrolled.slice(0, seen.length)));
    expect(nodes.ends).toEqual(['three', 'two', 'one'].map((node) => ({ node, code: 75 })));
    const list = await proxy.send<{ name: string; version: string; status: string }[]>('/api/cc/ha/nodes', {
      token: await administratorAt(proxy.url),
    });
    expect(
      list.body.filter(({ status }) => status === 'healthy').map(({ name, version }) => [name, version]),
    ).toEqual([
      ['one', '2.0.0'],
      ['three', '2.0.0'],
      ['two', '2.0.0'],
    ]);
  }, 300_000);

  test('an upgrade is paused when a process comes back as another version, and goes on when it is resumed', async () => {
    await using proxy = new Proxy();
    await until(async () => (await nodes.ready()).length === 3, 'all to be ready', 60_000);
    const token = await administratorAt(proxy.url);
    const graphql = async (query: string) => {
      const { body } = await proxy.send<{
        data?: Record<string, unknown>;
        errors?: { extensions: { code: string; reason?: string } }[];
      }>('/graphql', { token: await administratorAt(proxy.url), body: { query } });
      return body;
    };
    nodes.ends.length = 0;
    const before = (await graphql('{ haNodes { name role } }')).data as {
      haNodes: { name: string; role: string }[];
    };
    const leader = before.haNodes.find(({ role }) => role === 'LEADER')!.name;
    const [first] = ['one', 'three', 'two'].filter((node) => node !== leader);
    const { body } = await call<Upgrade>(`${proxy.url}/api/cc/ha/upgrade`, {
      token,
      body: { version: '3.0.0' },
    });
    expect(body.steps.at(-1)?.node).toBe(leader);
    expect(await untilEnded(proxy, body.id, ['SUCCEEDED', 'PAUSED'])).toMatchObject({
      status: 'PAUSED',
      reason: `${first} came back as version 2.0.0`,
    });
    expect(nodes.ends).toEqual([{ node: first, code: 75 }]);
    expect((await graphql('{ haStatus { upgrade { status } } }')).data).toEqual({
      haStatus: { upgrade: { status: 'PAUSED' } },
    });

    for (const node of ['one', 'two', 'three']) nodes.versions.set(node, '3.0.0');
    const resume = `mutation { resumeUpgrade(input: { id: "${body.id}" }) { status } }`;
    expect((await graphql(resume)).data).toEqual({ resumeUpgrade: { status: 'RUNNING' } });
    expect((await graphql(resume)).data).toEqual({ resumeUpgrade: { status: 'RUNNING' } });
    expect(await untilEnded(proxy, body.id, ['SUCCEEDED', 'PAUSED'])).toMatchObject({ status: 'SUCCEEDED' });
    expect(nodes.ends.map(({ code }) => code)).toEqual([75, 75, 75, 75]);
    expect((await graphql(resume)).errors?.[0]?.extensions).toMatchObject({
      code: 'CONFLICT',
      reason: 'UPGRADE_ENDED',
    });
    const cancel = (id: string) => `mutation { cancelUpgrade(input: { id: "${id}" }) { status } }`;
    expect((await graphql(cancel(body.id))).errors?.[0]?.extensions.reason).toBe('UPGRADE_ENDED');
    expect((await graphql(cancel('upg_none'))).errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    const same = await call<Upgrade>(`${proxy.url}/api/cc/ha/upgrade`, { token, body: { version: '3.0.0' } });
    expect([same.status, same.body.status]).toEqual([201, 'succeeded']);
    expect(nodes.ends).toHaveLength(4);
  }, 300_000);
});
