import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, restTime } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until, type Node, type Tenant } from '../support/world.js';
import { stride } from './support/strides.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const day = 24 * 60 * 60;
const statuses = ['healthy', 'degraded', 'offline'] as const;
type Status = (typeof statuses)[number];
interface Health {
  instance_id: string;
  name: string;
  status: Status;
  reasons: { code: string; message: string; since: string | null }[];
  last_seen: string | null;
}

const advance = async (seconds: number) => stride(panel.clock, seconds * 1000);
const now = () => restTime(panel.clock.now());

async function healthOf(tenant: Tenant): Promise<Health[]> {
  return (await tenant.rest<Health[]>('/api/fleet/health')).body;
}

/** The status of each instance in each place that tells it, as one object that must agree with itself. */
async function everyView(tenant: Tenant, nodes: readonly Node[]) {
  const list = (await tenant.rest<{ id: string; status: Status }[]>('/api/fleet/instances')).body;
  const details = await Promise.all(
    nodes.map(async ({ id }) => (await tenant.rest<{ status: Status }>(`/api/fleet/instances/${id}`)).body),
  );
  const health = await healthOf(tenant);
  const summary = (await tenant.rest<Record<Status, number>>('/api/fleet/summary')).body;
  const filtered = await Promise.all(
    statuses.map(async (status) => {
      const answer = await tenant.rest<{ id: string }[]>(`/api/fleet/instances?status=${status}`);
      return [status, answer.body.map(({ id }) => id)] as const;
    }),
  );
  const federated = dataOf(
    await tenant.graphql<{ tenant: { instanceCounts: unknown } }>(
      '{ tenant { instanceCounts { total healthy degraded offline } } }',
    ),
  );
  return {
    list: list.map(({ status }) => status),
    detail: details.map(({ status }) => status),
    health: health.map(({ status }) => status),
    hasReasons: health.map(({ reasons }) => reasons.length > 0),
    summary: { healthy: summary.healthy, degraded: summary.degraded, offline: summary.offline },
    filtered: Object.fromEntries(filtered),
    counts: federated.tenant.instanceCounts,
  };
}

/** What every view has to show when the nodes, in the order they enrolled, are in these statuses. */
function viewsOf(nodes: readonly Node[], expected: readonly Status[]) {
  const idsIn = (status: Status) => nodes.filter((_, at) => expected[at] === status).map(({ id }) => id);
  const summary = {
    healthy: idsIn('healthy').length,
    degraded: idsIn('degraded').length,
    offline: idsIn('offline').length,
  };
  return {
    list: expected,
    detail: expected,
    health: expected,
    hasReasons: expected.map((status) => status !== 'healthy'),
    summary,
    filtered: Object.fromEntries(statuses.map((status) => [status, idsIn(status)])),
    counts: { total: nodes.length, ...summary },
  };
}

test('an instance that never connected is offline, and says so since it enrolled', async () => {
  const tenant = await panel.world.tenant();
  const enrolledAt = now();
  const node = await tenant.node();
  await advance(120);
  expect(await healthOf(tenant)).toEqual([
    {
      instance_id: node.id,
      name: node.name,
      status: 'offline',
      reasons: [
        {
          code: 'never_connected',
          message: 'It has not connected since it was enrolled',
          since: enrolledAt,
        },
      ],
      last_seen: null,
    },
  ]);
  expect(await everyView(tenant, [node])).toEqual(viewsOf([node], ['offline']));
});

test('an instance that beats with nothing wrong is healthy, without reasons', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  await node.beat({ disk_percent: 94.9, health: [{ component: 'proxy', status: 'healthy' }] });
  expect(await healthOf(tenant)).toEqual([
    { instance_id: node.id, name: node.name, status: 'healthy', reasons: [], last_seen: now() },
  ]);
  expect(await everyView(tenant, [node])).toEqual(viewsOf([node], ['healthy']));
});

test.for([
  [
    'a component that is not well',
    () => ({ health: [{ component: 'backup', status: 'unhealthy', message: 'No space' }] }),
    { code: 'component_unhealthy', message: 'backup is unhealthy: No space' },
  ],
  [
    'a component that is degraded',
    () => ({ health: [{ component: 'proxy', status: 'degraded' }] }),
    { code: 'component_unhealthy', message: 'proxy is degraded' },
  ],
  [
    'a disk that is nearly full',
    () => ({ disk_percent: 95 }),
    { code: 'disk_nearly_full', message: 'The disk is at 95 % or more' },
  ],
  [
    'a clock that is off',
    () => ({ sent_at: new Date(panel.clock.now().getTime() - 61_000).toISOString() }),
    { code: 'clock_skew', message: "The node's clock is more than 60 seconds off" },
  ],
] as const)('%s degrades an instance, since the first beat that told of it', async ([, trouble, reason]) => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  await node.beat();
  await advance(30);
  const since = now();
  await node.beat(trouble());
  await advance(30);
  await node.beat(trouble());
  const degraded = {
    instance_id: node.id,
    name: node.name,
    status: 'degraded',
    reasons: [{ ...reason, since }],
    last_seen: now(),
  };
  expect(await healthOf(tenant)).toEqual([degraded]);
  expect(await everyView(tenant, [node])).toEqual(viewsOf([node], ['degraded']));

  await node.beat({ sent_at: panel.clock.now().toISOString() });
  expect(await everyView(tenant, [node])).toEqual(viewsOf([node], ['healthy']));
  await advance(30);
  await node.beat(trouble());
  expect(await healthOf(tenant)).toEqual([
    { ...degraded, reasons: [{ ...reason, since: now() }], last_seen: now() },
  ]);
});

test('all that is wrong is told, each with its own beginning', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  const first = now();
  await node.beat({ disk_percent: 99 });
  await advance(30);
  await node.beat({ disk_percent: 98, health: [{ component: 'backup', status: 'degraded' }] });
  const [health] = await healthOf(tenant);
  expect(health!.reasons).toEqual([
    { code: 'component_unhealthy', message: 'backup is degraded', since: now() },
    { code: 'disk_nearly_full', message: 'The disk is at 95 % or more', since: first },
  ]);
});

test('an instance is offline when three intervals passed without a beat, everywhere at once, and back with a beat', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  await node.beat({ disk_percent: 96 });
  const lastSeen = now();
  await advance(89);
  expect(await everyView(tenant, [node])).toEqual(viewsOf([node], ['degraded']));
  await advance(1);
  expect(await everyView(tenant, [node])).toEqual(viewsOf([node], ['offline']));
  const offline = {
    instance_id: node.id,
    name: node.name,
    status: 'offline',
    reasons: [{ code: 'no_heartbeat', message: 'Heartbeats have stopped', since: now() }],
    last_seen: lastSeen,
  };
  expect(await healthOf(tenant)).toEqual([offline]);
  await advance(300);
  expect(await healthOf(tenant)).toEqual([offline]);
  await node.beat();
  expect(await everyView(tenant, [node])).toEqual(viewsOf([node], ['healthy']));
});

test('an instance that has not beaten for thirty days is missing', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  await node.beat();
  const lastSeen = now();
  await advance(90);
  const since = now();
  const isAnnounced = async () => {
    await advance(1);
    const [row] = await panel.sql('select announced_status as status from fleet.instance where id = $1', [
      node.id,
    ]);
    return row!['status'] === 'OFFLINE';
  };
  await until(isAnnounced, 'its end to be told');
  await panel.clock.advance(30 * day * 1000);
  const token = (await panel.world.login(tenant.account.email, tenant.account.password)).body.access_token;
  const { body } = await tenant.rest('/api/fleet/health', { token });
  expect(body).toEqual([
    {
      instance_id: node.id,
      name: node.name,
      status: 'offline',
      reasons: [{ code: 'missing', message: 'No heartbeat for 30 days', since }],
      last_seen: lastSeen,
    },
  ]);
});

interface Fate {
  /** Seconds since its only beat; undefined: it never connected. */
  age: number | undefined;
  disk: number;
  component: 'healthy' | 'degraded' | 'unhealthy' | undefined;
  skew: number;
}

const near = (edge: number) => fc.constantFrom(edge - 1, edge, edge + 1);
const fate: fc.Arbitrary<Fate> = fc.record({
  age: fc.oneof(fc.constant(undefined), near(90), fc.integer({ min: 0, max: 200 })),
  disk: fc.oneof(near(95), fc.integer({ min: 0, max: 94 })),
  component: fc.constantFrom(undefined, 'healthy', 'healthy', 'degraded', 'unhealthy'),
  skew: fc.oneof(near(60), near(-60), fc.constant(0)),
});

function statusIn({ age, disk, component, skew }: Fate): Status {
  if (age === undefined || age >= 90) return 'offline';
  const isWell = component === undefined || component === 'healthy';
  return isWell && disk < 95 && Math.abs(skew) <= 60 ? 'healthy' : 'degraded';
}

test('whatever happened to the nodes, every view tells the same of them', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fate, { minLength: 1, maxLength: 5 }), async (fates) => {
      const tenant = await panel.world.tenant();
      const nodes: Node[] = [];
      for (const _fate of fates) nodes.push(await tenant.node());
      const oldestFirst = fates
        .map((each, at) => ({ ...each, node: nodes[at]! }))
        .toSorted((a, b) => (b.age ?? 0) - (a.age ?? 0));
      const end = panel.clock.now().getTime() + 201_000;
      for (const { age, disk, component, skew, node } of oldestFirst) {
        if (age === undefined) continue;
        await stride(panel.clock, end - age * 1000 - panel.clock.now().getTime());
        const answer = await node.beat({
          disk_percent: disk,
          sent_at: new Date(panel.clock.now().getTime() + skew * 1000).toISOString(),
          ...(component ? { health: [{ component: 'proxy', status: component }] } : {}),
        });
        expect(answer.status).toBe(200);
      }
      await stride(panel.clock, end - panel.clock.now().getTime());
      expect(await everyView(tenant, nodes)).toEqual(viewsOf(nodes, fates.map(statusIn)));
    }),
    { numRuns: 12 },
  );
});
