import { afterAll, beforeAll, expect, test } from 'vitest';

import { restTime } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { tokenInRole } from '../support/roles.js';
import type { Tenant } from '../support/world.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const now = () => restTime(panel.clock.now());
const unknownId = 'inst_01h455vb4pex5vsknk084sn02q';

async function namesAt(tenant: Tenant, path: string): Promise<string[]> {
  const { status, body } = await tenant.rest<{ name: string }[]>(path);
  expect([path, status]).toEqual([path, 200]);
  return body.map(({ name }) => name);
}

/** A fleet of one that beats and one that never did. */
async function smallFleet() {
  const tenant = await panel.world.tenant();
  const beating = await tenant.node('production-01');
  await beating.beat({
    net_rx_bytes: 0,
    net_tx_bytes: 0,
    load_average: 0.25,
    uptime_seconds: 3600,
    memory_gb: 15.6,
  });
  const silent = await tenant.node('staging-01');
  return { tenant, beating, silent };
}

test.concurrent('the list shows exactly the documented fields, in the order the nodes enrolled', async () => {
  const { tenant, beating, silent } = await smallFleet();
  const answer = await tenant.rest('/api/fleet/instances');
  const first = {
    id: beating.id,
    name: 'production-01',
    hostname: 'production-01.example.com',
    version: '0.2.9',
    status: 'healthy',
    apps_count: 3,
    cpu_percent: 12.5,
    memory_percent: 40,
    last_seen: now(),
  };
  expect([answer.status, answer.headers.get('content-type'), answer.body]).toEqual([
    200,
    'application/json; charset=utf-8',
    [
      first,
      {
        id: silent.id,
        name: 'staging-01',
        hostname: 'staging-01.example.com',
        version: '0.2.9',
        status: 'offline',
        apps_count: null,
        cpu_percent: null,
        memory_percent: null,
        last_seen: null,
      },
    ],
  ]);
  const detail = await tenant.rest(`/api/fleet/instances/${beating.id}`);
  expect([detail.status, detail.body]).toEqual([200, first]);
});

test.concurrent('the summary shows exactly the documented numbers, memory in whole GB', async () => {
  const { tenant } = await smallFleet();
  const answer = await tenant.rest('/api/fleet/summary');
  expect([answer.status, answer.body]).toEqual([
    200,
    {
      total_instances: 2,
      healthy: 1,
      degraded: 0,
      offline: 1,
      total_apps: 3,
      total_cpu_cores: 4,
      total_memory_gb: 16,
    },
  ]);
});

test.concurrent('readings beyond belief do not take the summary down', async () => {
  const tenant = await panel.world.tenant();
  for (const name of ['boaster-01', 'boaster-02']) {
    const node = await tenant.node(name);
    const beat = await node.beat({ apps_count: 2_147_483_647, cpu_cores: 2_147_483_647, memory_gb: 1e300 });
    expect(beat.status).toBeLessThan(500);
  }
  expect((await tenant.rest('/api/fleet/summary')).status).toBe(200);
});

test.concurrent('the health list shows exactly the documented fields', async () => {
  const { tenant, beating, silent } = await smallFleet();
  expect((await tenant.rest('/api/fleet/health')).body).toEqual([
    { instance_id: beating.id, name: 'production-01', status: 'healthy', reasons: [], last_seen: now() },
    {
      instance_id: silent.id,
      name: 'staging-01',
      status: 'offline',
      reasons: [{ code: 'never_connected', message: expect.any(String), since: now() }],
      last_seen: null,
    },
  ]);
});

test.concurrent('the metrics of an instance are those of its newest beat, null before the first', async () => {
  const { tenant, beating, silent } = await smallFleet();
  expect((await tenant.rest(`/api/fleet/metrics/${beating.id}`)).body).toEqual({
    instance_id: beating.id,
    timestamp: now(),
    cpu_percent: 12.5,
    memory_percent: 40,
    disk_percent: 30,
    net_rx_bytes_per_second: null,
    net_tx_bytes_per_second: null,
    load_average: 0.25,
    uptime_seconds: 3600,
  });
  expect((await tenant.rest(`/api/fleet/metrics/${silent.id}`)).body).toEqual({
    instance_id: silent.id,
    timestamp: null,
    cpu_percent: null,
    memory_percent: null,
    disk_percent: null,
    net_rx_bytes_per_second: null,
    net_tx_bytes_per_second: null,
    load_average: null,
    uptime_seconds: null,
  });
});

test.concurrent('an empty fleet is empty lists and noughts', async () => {
  const tenant = await panel.world.tenant();
  expect((await tenant.rest('/api/fleet/instances')).body).toEqual([]);
  expect((await tenant.rest('/api/fleet/health')).body).toEqual([]);
  expect((await tenant.rest('/api/fleet/summary')).body).toEqual({
    total_instances: 0,
    healthy: 0,
    degraded: 0,
    offline: 0,
    total_apps: 0,
    total_cpu_cores: 0,
    total_memory_gb: 0,
  });
});

test.concurrent('an instance that is not of the tenant is not found, whether it exists or not', async () => {
  const { beating } = await smallFleet();
  const stranger = await panel.world.tenant();
  for (const id of [beating.id, unknownId, 'nonsense']) {
    for (const path of [`/api/fleet/instances/${id}`, `/api/fleet/metrics/${id}`]) {
      const answer = await stranger.rest(path);
      expect([path, answer.status, answer.body]).toEqual([path, 404, { error: 'Instance not found' }]);
    }
  }
});

test.concurrent('every role of the tenant may look, a node and a stranger may not', async () => {
  const { tenant, beating } = await smallFleet();
  const paths = ['instances', `instances/${beating.id}`, 'summary', 'health', `metrics/${beating.id}`];
  const viewer = await tokenInRole(panel, tenant, 'VIEWER');
  const statuses = async (token?: string) =>
    Promise.all(paths.map(async (path) => (await panel.world.rest(`/api/fleet/${path}`, { token })).status));
  expect(await statuses(viewer)).toEqual([200, 200, 200, 200, 200]);
  expect(await statuses(beating.credential)).toEqual([403, 403, 403, 403, 403]);
  expect(await statuses()).toEqual([401, 401, 401, 401, 401]);
});

test.concurrent('a list may be read page by page, each with the way to the next and the whole count', async () => {
  const tenant = await panel.world.tenant();
  const names = ['a', 'b', 'c', 'd', 'e'];
  for (const name of names) await tenant.node(name);
  const seen: string[][] = [];
  let path: string | undefined = '/api/fleet/instances?limit=2';
  while (path !== undefined) {
    const answer: Awaited<ReturnType<typeof tenant.rest<{ name: string }[]>>> = await tenant.rest(path);
    expect(answer.headers.get('x-total-count')).toBe('5');
    seen.push(answer.body.map(({ name }) => name));
    path = /^<([^>]*)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
  }
  expect(seen).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  const whole = await tenant.rest('/api/fleet/instances');
  expect([whole.headers.get('link'), whole.headers.get('x-total-count')]).toEqual([null, '5']);
});

test.concurrent('a page after a cursor stays where it was while nodes come in', async () => {
  const tenant = await panel.world.tenant();
  for (const name of ['a', 'b', 'c']) await tenant.node(name);
  const first = await tenant.rest<{ name: string }[]>('/api/fleet/instances?limit=2');
  const next = /<([^>]*)>/.exec(first.headers.get('link')!)![1]!;
  expect(await namesAt(tenant, next)).toEqual(['c']);
  await tenant.node('d');
  expect(await namesAt(tenant, next)).toEqual(['c', 'd']);
  expect(await namesAt(tenant, '/api/fleet/instances?limit=2')).toEqual(['a', 'b']);
});

test.concurrent('nodes that enroll at once are listed each exactly once', async () => {
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  const nodes = await Promise.all(Array.from({ length: 12 }, (_, index) => tenant.node(`n-${index}`)));
  const ids: string[] = [];
  for (let path: string | undefined = '/api/fleet/instances?limit=5'; path !== undefined;) {
    const answer: Awaited<ReturnType<typeof tenant.rest<{ id: string }[]>>> = await tenant.rest(path);
    ids.push(...answer.body.map(({ id }) => id));
    path = /<([^>]*)>/.exec(answer.headers.get('link') ?? '')?.[1];
  }
  expect(ids.toSorted()).toEqual(nodes.map(({ id }) => id).toSorted());
});

test.concurrent('a limit or cursor that makes no sense is bad input', async () => {
  const tenant = await panel.world.tenant();
  for (const query of ['limit=0', 'limit=501', 'limit=two', 'limit=2&cursor=%00', 'limit=2&cursor=***']) {
    const answer = await tenant.rest(`/api/fleet/instances?${query}`);
    expect([query, answer.status, answer.body]).toEqual([query, 400, { error: expect.any(String) }]);
  }
});

test.concurrent('the search takes % and _ and \\ by the letter, without case, in name and host name', async () => {
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  const token = await tenant.enrollmentToken();
  for (const [name, hostname] of [
    ['100% sure', 'one'],
    ['100 sure', 'two'],
    ['under_score', 'three'],
    ['underscore', 'four'],
    ['back\\slash', 'five'],
    ['plain', 'Production-09'],
  ]) {
    await panel.world.rest('/api/agent/enroll', { body: { token, name, hostname, version: '1' } });
  }
  const found = async (q: string) => namesAt(tenant, `/api/fleet/instances?q=${encodeURIComponent(q)}`);
  expect({
    percent: await found('0%'),
    underscore: await found('r_s'),
    backslash: await found('k\\s'),
    lower: await found('UNDER'),
    hostname: await found('production-09'),
    quote: await found(`' or 1=1 --`),
    nothing: await found('absent'),
  }).toEqual({
    percent: ['100% sure'],
    underscore: ['under_score'],
    backslash: ['back\\slash'],
    lower: ['under_score', 'underscore'],
    hostname: ['plain'],
    quote: [],
    nothing: [],
  });
});

test.concurrent('a status that is none is bad input', async () => {
  const tenant = await panel.world.tenant();
  const answer = await tenant.rest('/api/fleet/instances?status=sleepy');
  expect([answer.status, answer.body]).toEqual([400, { error: expect.stringContaining('status') }]);
});
