import 'reflect-metadata';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { ComponentStatus, type Heartbeat } from '#subgraphs/fleet/heartbeat/heartbeat.rules.js';
import { HeartbeatIngest } from '#subgraphs/fleet/heartbeat/ingest.job.js';
import { versionBaselineSweep } from '#subgraphs/fleet/heartbeat/version-baseline.job.js';
import { expirySweep } from '#subgraphs/fleet/instance/instance-expiry.job.js';

import { TestClock } from '../../support/clock.js';
import {
  openFleetStore,
  receivedBeat,
  runSweep,
  type FleetStore,
  type StoredInstance,
} from '../../support/fleet-store.js';
import { nobodySuspended } from '../support/suspension.js';

let store: FleetStore;
let ingest: HeartbeatIngest;
beforeAll(async () => {
  store = await openFleetStore();
  ingest = new HeartbeatIngest(store.database, new TestClock(), 30);
});
afterAll(async () => {
  await ingest.stop();
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
      (await runSweep(store.database, expirySweep(nobodySuspended), clock.now())).filter(
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

test('a disk or a clock that was not measured stays as it was told, and is told of once', async () => {
  const node = await startNode();
  const off = () => new Date(node.clock.now().getTime() + (30 + 61) * 1000);
  const codes = [
    await node.beat(30, { diskPercent: null, sentAt: null }),
    await node.beat(30, { diskPercent: 95, sentAt: off() }),
    await node.beat(30, { diskPercent: null, sentAt: null }),
    await node.beat(30, { diskPercent: 95, sentAt: off() }),
  ];
  const wrong = ['DISK_NEARLY_FULL', 'CLOCK_SKEW'];
  expect(codes).toEqual([[], wrong, wrong, wrong]);
  expect(await transitions(node)).toEqual([
    [null, 'HEALTHY'],
    ['HEALTHY', 'DEGRADED'],
  ]);
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
  expect(await old.beat(30, { version: null }), 'the one from before is kept').toEqual(['VERSION_SKEW']);
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

test('a node that is back before its end was announced is told of as offline and as back', async () => {
  const node = await startNode();
  await node.beat(0);
  await node.beat(90, { diskPercent: 99 });
  await node.beat(90, { diskPercent: 99 });
  expect(await transitions(node)).toEqual([
    [null, 'HEALTHY'],
    ['HEALTHY', 'OFFLINE'],
    ['OFFLINE', 'DEGRADED'],
    ['DEGRADED', 'OFFLINE'],
    ['OFFLINE', 'DEGRADED'],
  ]);
  expect(await node.expire()).toEqual([]);
});

test('a reason whose wording changes keeps its beginning and is told of once, in its newest wording', async () => {
  const node = await startNode();
  const backup = (message: string) => ({ component: 'backup', status: ComponentStatus.DEGRADED, message });
  const proxy = { component: 'proxy', status: ComponentStatus.UNHEALTHY };
  await node.beat(0, { health: [backup('30 s late')] });
  const since = node.clock.now().toISOString();
  await node.beat(30, { health: [backup('60 s late')] });
  await node.beat(30, { health: [backup('90 s late')] });
  const told = [[null, 'DEGRADED']];
  expect(await transitions(node)).toEqual(told);
  await node.beat(30, { health: [backup('120 s late'), proxy] });
  const proxySince = node.clock.now().toISOString();
  await node.beat(30, { health: [proxy, backup('150 s late')] });
  await node.beat(30, { health: [{ ...proxy, message: 'down' }, backup('180 s late')] });
  expect(await transitions(node)).toEqual([...told, ['DEGRADED', 'DEGRADED']]);
  const [row] = await store.sql('select reasons from fleet.instance where id = $1', [node.id]);
  const code = 'COMPONENT_UNHEALTHY';
  expect(row!['reasons']).toEqual([
    { code, component: 'proxy', message: 'proxy is unhealthy: down', since: proxySince },
    { code, component: 'backup', message: 'backup is degraded: 180 s late', since },
  ]);
  await node.beat(30, { health: [proxy] });
  expect(await transitions(node)).toHaveLength(3);
});
