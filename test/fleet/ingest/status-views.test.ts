import 'reflect-metadata';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { Database } from '#platform/database/database.js';
import { expirySweep } from '#subgraphs/fleet/instance/instance-expiry.job.js';
import { countFoldSweep } from '#subgraphs/fleet/summary/instance-count.job.js';

import { openFleetDatabase, runSweep } from '../../support/fleet-store.js';
import { Live } from '../../support/live.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { until, type Node, type Tenant } from '../../support/world.js';
import { stride } from '../support/strides.js';
import { nobodySuspended } from '../support/suspension.js';

let panel: TestPanel;
let panelFleet: Database;
beforeAll(async () => {
  panel = await startTestPanel();
  panelFleet = await openFleetDatabase(panel.database.url);
});
afterAll(async () => {
  await panelFleet.close();
  await panel.stop();
});

const statuses = ['healthy', 'degraded', 'offline'] as const;
interface Listed {
  id: string;
  status: string;
}
interface Told {
  from: string | null;
  to: string;
}
type Changed = Live<{ instanceChanged: { id: string; status: string } }>;

function watch(tenant: Tenant): Changed {
  return new Live(panel.panel.url, tenant.token, 'subscription { instanceChanged { id status } }');
}

/** The status of each of the tenant's nodes, which list, detail, health, filters and summary have to agree on. */
async function agreedStatuses(tenant: Tenant, nodes: readonly Node[]): Promise<Listed[]> {
  const get = async <Body>(path: string) => (await tenant.rest<Body>(path)).body;
  const list = await get<Listed[]>('/api/fleet/instances');
  const health = await get<Listed[]>('/api/fleet/health');
  const summary = await get<Record<string, number>>('/api/fleet/summary');
  const details = await Promise.all(nodes.map(({ id }) => get<Listed>(`/api/fleet/instances/${id}`)));
  const told = list.map(({ status }) => status);
  expect(health.map(({ status }) => status)).toEqual(told);
  expect(details.map(({ status }) => status)).toEqual(told);
  for (const status of statuses) {
    const filtered = await tenant.rest<Listed[]>(`/api/fleet/instances?limit=2&status=${status}`);
    const ids = list.filter((one) => one.status === status).map(({ id }) => id);
    expect(filtered.body.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect(Number(filtered.headers.get('x-total-count'))).toBe(ids.length);
    expect(summary[status]).toBe(ids.length);
  }
  return list.map(({ id, status }) => ({ id, status: status.toUpperCase() }));
}

/** What was published of a node, from the first to the newest: each change begins where the one before ended. */
async function changesOf({ id }: Node): Promise<Told[]> {
  const rows = await panel.sql(
    `select payload from fleet.outbox where entity_id = $1 and topic = 'fleet.instance.changed' order by xid, id`,
    [id],
  );
  const changes = rows.map((row) => row['payload'] as Told);
  expect(changes.map(({ from }) => from)).toEqual(
    [null, ...changes.map(({ to }) => to)].slice(0, changes.length),
  );
  return changes;
}

/** What whoever only follows the events knows of the nodes, once all that is so now was announced. */
async function knownToFollowers(
  live: Changed,
  nodes: readonly Node[],
  now: readonly Listed[],
): Promise<Listed[]> {
  // The panel's own sweep may be at work on the same rows.
  const isAnnounced = async () => {
    await runSweep(panelFleet, expirySweep(nobodySuspended), panel.clock.now());
    const newest = await Promise.all(
      nodes.map(async (node) => (await changesOf(node)).at(-1)?.to ?? 'OFFLINE'),
    );
    return newest.every((status, at) => status === now[at]!.status);
  };
  await until(isAnnounced, 'every change to be published');
  const [row] = await panel.sql(
    `select count(*)::int as count from fleet.outbox
     where entity_id = any($1) and topic in ('fleet.instance.enrolled', 'fleet.instance.changed')`,
    [nodes.map(({ id }) => id)],
  );
  await live.received(Number(row!['count']));
  const shown = new Map(
    live.results.map(({ data }) => [data!.instanceChanged.id, data!.instanceChanged.status]),
  );
  return now.map(({ id }) => ({ id, status: shown.get(id) ?? 'never told' }));
}

type Step =
  | { kind: 'pass'; seconds: number }
  | { kind: 'sleep'; seconds: number }
  | { kind: 'beat'; node: number; disk: number }
  | { kind: 'sweep' };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('pass' as const), seconds: fc.constantFrom(1, 29, 44, 45, 89, 90) }),
  fc.record({
    kind: fc.constant('beat' as const),
    node: fc.nat({ max: 2 }),
    disk: fc.constantFrom(30, 93, 96),
  }),
  // The panel's machine falls asleep.
  fc.record({ kind: fc.constant('sleep' as const), seconds: fc.constantFrom(20, 120) }),
  fc.record({ kind: fc.constant('sweep' as const) }),
);

test('whatever happens in whatever order, list, detail, health, filters, counts and the subscription tell the same', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 12 }), async (steps) => {
      const tenant = await panel.world.tenant();
      await using live = watch(tenant);
      await live.opened();
      const nodes: Node[] = [];
      for (let node = 0; node < 3; node += 1) nodes.push(await tenant.node());
      const compared: { now: Listed[]; known: Listed[] }[] = [];
      for (const [at, action] of steps.entries()) {
        if (action.kind === 'pass') await stride(panel.clock, action.seconds * 1000);
        if (action.kind === 'sleep') await panel.clock.leap(action.seconds * 1000);
        if (action.kind === 'beat') await nodes[action.node]!.beat({ disk_percent: action.disk });
        if (action.kind === 'sweep') {
          await runSweep(panelFleet, expirySweep(nobodySuspended), panel.clock.now());
          await runSweep(panelFleet, countFoldSweep, panel.clock.now());
          const now = await agreedStatuses(tenant, nodes);
          compared.push({ now, known: await knownToFollowers(live, nodes, now) });
        }
        if (at % 3 === 0) await agreedStatuses(tenant, nodes);
      }
      const end = await agreedStatuses(tenant, nodes);
      compared.push({ now: end, known: await knownToFollowers(live, nodes, end) });
      for (const { now, known } of compared) expect(known).toEqual(now);
    }),
    { numRuns: 8, endOnFailure: true },
  );
}, 180_000);

test('beats that are off their pace by half never flap, neither where one asks nor on the subscription', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 15, max: 45 }), { minLength: 5, maxLength: 12 }),
      async (pauses) => {
        const tenant = await panel.world.tenant();
        await using live = watch(tenant);
        await live.opened();
        const node = await tenant.node();
        await node.beat();
        for (const pause of pauses) {
          await stride(panel.clock, (pause * 1000) / 2);
          await runSweep(panelFleet, expirySweep(nobodySuspended), panel.clock.now());
          expect(await agreedStatuses(tenant, [node])).toEqual([{ id: node.id, status: 'HEALTHY' }]);
          await stride(panel.clock, (pause * 1000) / 2);
          await node.beat();
        }
        // What would have been told in between would have come before this.
        await node.beat({ disk_percent: 99 });
        await live.untilLatest(({ results }) => results.at(-1)?.data?.instanceChanged.status === 'DEGRADED');
        expect(live.results).toHaveLength(3);
        expect(await changesOf(node)).toMatchObject([{ to: 'HEALTHY' }, { to: 'DEGRADED' }]);
      },
    ),
    { numRuns: 4, endOnFailure: true },
  );
}, 180_000);

test("however many changes there are of a tenant's counts, few rows are left of them, and they tell the same", async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  await node.beat();
  for (let change = 1; change <= 300; change += 1)
    await panel.sql('update fleet.instance set apps_count = $2 where id = $1', [node.id, change]);
  await runSweep(panelFleet, countFoldSweep, panel.clock.now());
  const [left] = await panel.sql<{ rows: number; apps: number }>(
    'select count(*)::integer as rows, sum(apps)::integer as apps from fleet.instance_count where tenant_id = $1',
    [tenant.id],
  );
  expect(left?.rows).toBeLessThan(100);
  expect(left?.apps).toBe(300);
});
