import 'reflect-metadata';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { Database } from '#platform/database/database.js';
import type { Heartbeat } from '#subgraphs/fleet/heartbeat/heartbeat.inputs.js';
import { HeartbeatIngest } from '#subgraphs/fleet/heartbeat/ingest.job.js';
import { versionBaselineSweep } from '#subgraphs/fleet/heartbeat/version-baseline.job.js';
import { expirySweep } from '#subgraphs/fleet/instance/instance-expiry.job.js';
import { countFoldSweep } from '#subgraphs/fleet/summary/instance-count.job.js';

import { TestClock } from '../../support/clock.js';
import {
  openFleetDatabase,
  openFleetStore,
  receivedBeat,
  runSweep,
  type FleetStore,
  type StoredInstance,
} from '../../support/fleet-store.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import type { Node } from '../../support/world.js';

let store: FleetStore;
let ingest: HeartbeatIngest;
let panel: TestPanel;
let panelFleet: Database;
beforeAll(async () => {
  store = await openFleetStore();
  ingest = new HeartbeatIngest(store.database, new TestClock(), 30);
  panel = await startTestPanel();
  panelFleet = await openFleetDatabase(panel.database.url);
});
afterAll(async () => {
  await ingest.stop();
  await panelFleet.close();
  await panel.stop();
  await store.stop();
});

/** A node in the store with a clock of its own. */
async function startNode(tenantId?: string) {
  const clock = new TestClock();
  const instance = await store.instance(tenantId);
  return {
    ...instance,
    clock,
    /** Moves on by `seconds` and beats; answers what is told of it then. */
    async beat(seconds: number, more: Partial<Heartbeat> = {}): Promise<string[]> {
      await clock.advance(seconds * 1000);
      expect(await ingest.store([receivedBeat(instance, clock.now(), more)])).toEqual([
        { answer: undefined },
      ]);
      return reasonsOf(instance);
    },
    expire: async () =>
      (await runSweep(store.database, expirySweep, clock.now())).filter(
        ({ entityId }) => entityId === instance.id,
      ),
  };
}

async function reasonsOf({ id }: StoredInstance): Promise<string[]> {
  const [row] = await store.sql<{ reasons: { code: string }[] }>(
    'select reasons from fleet.instance where id = $1',
    [id],
  );
  return row!.reasons.map(({ code }) => code);
}

async function transitions({ id }: StoredInstance): Promise<[string | null, string][]> {
  const rows = await store.sql<{ payload: { from: string | null; to: string } }>(
    `select payload from fleet.outbox where entity_id = $1 order by xid, id`,
    [id],
  );
  return rows.map(({ payload }) => [payload.from, payload.to]);
}

test.for(['cpu', 'memory'] as const)(
  'high %s is told after three beats in a row, and over after three',
  async (what) => {
    const node = await startNode();
    const high = { [`${what}Percent`]: 95 };
    const low = { [`${what}Percent`]: 94.9 };
    const code = `${what.toUpperCase()}_HIGH`;
    const told: boolean[] = [];
    for (const reading of [high, high, low, high, high, high, low, low, high, low, low, low, high]) {
      told.push((await node.beat(30, reading)).includes(code));
    }
    expect(told.map((is) => (is ? 1 : 0)).join('')).toBe('0000011111100'.slice(0, 13));
    expect(await transitions(node)).toEqual([
      [null, 'HEALTHY'],
      ['HEALTHY', 'DEGRADED'],
      ['DEGRADED', 'HEALTHY'],
    ]);
  },
);

test('a disk or a clock around its limit does not flap', async () => {
  const node = await startNode();
  const disk: string[][] = [];
  for (const diskPercent of [94.9, 95, 94.9, 93, 95, 92.9, 94])
    disk.push(await node.beat(30, { diskPercent }));
  expect(disk.map((codes) => codes.length)).toEqual([0, 1, 1, 1, 1, 0, 0]);
  const skewed: string[][] = [];
  for (const skew of [60, 61, 55, -51, 50, 55]) {
    const sentAt = new Date(node.clock.now().getTime() + (30 + skew) * 1000);
    skewed.push(await node.beat(30, { sentAt }));
  }
  expect(skewed.map((codes) => codes.length)).toEqual([0, 1, 1, 1, 0, 0]);
});

test('what was told before an outage is not told after it', async () => {
  const node = await startNode();
  for (let beat = 0; beat < 3; beat += 1) await node.beat(30, { cpuPercent: 99 });
  expect(await reasonsOf(node)).toEqual(['CPU_HIGH']);
  expect(await node.beat(91, { cpuPercent: 99 })).toEqual([]);
});

test('a node on an older line than most of its fleet is told of it', async () => {
  const [a, b, old] = [
    await startNode('org_versions'),
    await startNode('org_versions'),
    await startNode('org_versions'),
  ];
  await a.beat(0, { version: '0.3.1' });
  await old.beat(0, { version: '0.2.9' });
  await runSweep(store.database, versionBaselineSweep, a.clock.now());
  expect(await old.beat(30, { version: '0.2.9' }), 'half an upgrade degrades nobody').toEqual([]);
  await b.beat(0, { version: 'v0.3.0' });
  await runSweep(store.database, versionBaselineSweep, a.clock.now());
  expect(await old.beat(30, { version: '0.2.9' })).toEqual(['VERSION_SKEW']);
  expect(await a.beat(30, { version: '0.3.1' })).toEqual([]);
  expect(await old.beat(30, { version: '0.4.0' })).toEqual([]);
});

test('a node that falls silent is announced offline at its deadline, with nobody asking', async () => {
  const node = await startNode();
  await node.beat(0);
  await node.clock.advance(89_999);
  expect(await node.expire()).toEqual([]);
  await node.clock.advance(1);
  expect(await node.expire()).toMatchObject([
    { topic: 'fleet.instance.changed', tenantId: node.tenantId, payload: { from: 'HEALTHY', to: 'OFFLINE' } },
  ]);
  expect(await node.expire(), 'once').toEqual([]);
  await node.beat(1);
  expect(await transitions(node)).toEqual([
    [null, 'HEALTHY'],
    ['HEALTHY', 'OFFLINE'],
    ['OFFLINE', 'HEALTHY'],
  ]);
});

test('beats that are off their pace by half never flap', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 15, max: 45 }), { minLength: 5, maxLength: 25 }),
      async (pauses) => {
        const node = await startNode();
        await node.beat(0);
        for (const pause of pauses) {
          await node.clock.advance((pause * 1000) / 2);
          expect(await node.expire()).toEqual([]);
          await node.beat(pause / 2);
        }
        expect(await transitions(node)).toEqual([[null, 'HEALTHY']]);
      },
    ),
    { numRuns: 15 },
  );
});

type Step =
  | { kind: 'pass'; seconds: number }
  | { kind: 'beat'; node: number; disk: number }
  | { kind: 'sweep' };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('pass' as const), seconds: fc.constantFrom(1, 29, 44, 45, 89, 90) }),
  fc.record({
    kind: fc.constant('beat' as const),
    node: fc.nat({ max: 2 }),
    disk: fc.constantFrom(30, 93, 96),
  }),
  fc.record({ kind: fc.constant('sweep' as const) }),
);

test('whatever happens in whatever order, list, detail, health, filters and counts tell the same', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 12 }), async (steps) => {
      const tenant = await panel.world.tenant();
      const nodes: Node[] = [];
      for (let node = 0; node < 3; node += 1) nodes.push(await tenant.node());
      for (const [at, action] of steps.entries()) {
        if (action.kind === 'pass') await panel.clock.advance(action.seconds * 1000);
        if (action.kind === 'beat') await nodes[action.node]!.beat({ disk_percent: action.disk });
        if (action.kind === 'sweep') {
          await runSweep(panelFleet, expirySweep, panel.clock.now());
          await runSweep(panelFleet, countFoldSweep, panel.clock.now());
        }
        if (at < steps.length - 1 && at % 3 !== 0) continue;
        const get = async <Body>(path: string) => (await tenant.rest<Body>(path)).body;
        const list = await get<{ id: string; status: string }[]>('/api/fleet/instances');
        const health = await get<{ status: string }[]>('/api/fleet/health');
        const summary = await get<Record<string, number>>('/api/fleet/summary');
        const details = await Promise.all(
          nodes.map(({ id }) => get<{ status: string }>(`/api/fleet/instances/${id}`)),
        );
        const told = list.map(({ status }) => status);
        expect(health.map(({ status }) => status)).toEqual(told);
        expect(details.map(({ status }) => status)).toEqual(told);
        for (const status of ['healthy', 'degraded', 'offline']) {
          const filtered = await tenant.rest<{ id: string }[]>(
            `/api/fleet/instances?limit=2&status=${status}`,
          );
          const ids = list.filter((one) => one.status === status).map(({ id }) => id);
          expect(filtered.body.map(({ id }) => id)).toEqual(ids.slice(0, 2));
          expect(Number(filtered.headers.get('x-total-count'))).toBe(ids.length);
          expect(summary[status]).toBe(ids.length);
        }
      }
    }),
    { numRuns: 10 },
  );
}, 60_000);
