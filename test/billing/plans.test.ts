import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { tokenInRole } from '../support/roles.js';
import { until, type Tenant } from '../support/world.js';
import { signedIn } from './support/billing-panel.js';
import { decommission } from './support/partners.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

interface Package {
  id: string;
  name: string;
  features: string[];
  instanceLimit: number | null;
  userLimit: number | null;
  storageGbLimit: number | null;
}

const query = '{ packages { id name features instanceLimit userLimit storageGbLimit } }';

test('there are three packages, the smallest first, and whoever reads the tenant may read them', async () => {
  const tenant = await panel.world.tenant();
  const { packages } = dataOf(await tenant.graphql<{ packages: Package[] }>(query));
  expect(packages).toEqual([
    {
      id: 'free',
      name: 'Free',
      features: ['fleet-management'],
      instanceLimit: 3,
      userLimit: 3,
      storageGbLimit: 10,
    },
    {
      id: 'pro',
      name: 'Pro',
      features: expect.arrayContaining(['governance', 'ha-clustering']),
      instanceLimit: 25,
      userLimit: 50,
      storageGbLimit: 500,
    },
    {
      id: 'enterprise',
      name: 'Enterprise',
      features: expect.arrayContaining(['msp', 'white-label']),
      instanceLimit: null,
      userLimit: null,
      storageGbLimit: null,
    },
  ]);
  const token = await tokenInRole(panel, tenant, 'VIEWER');
  expect(dataOf(await panel.world.graphql(query, {}, token))).toEqual({ packages });
});

test('a package is what its plan gives', async () => {
  const tenant = await panel.world.tenant();
  const { packages } = dataOf(await tenant.graphql<{ packages: Package[] }>(query));
  for (const { id, instanceLimit } of packages) {
    await tenant.grantPlan(id.toUpperCase() as 'FREE' | 'PRO' | 'ENTERPRISE');
    expect([id, await tenant.instanceLimit()]).toEqual([id, instanceLimit]);
  }
});

test('nobody without a token, and no node, is shown packages', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  const codes = await Promise.all(
    [undefined, node.credential].map(async (token) => {
      const { errors } = await panel.world.graphql(query, {}, token);
      return errors?.[0]?.extensions['code'];
    }),
  );
  expect(codes).toEqual(['UNAUTHENTICATED', 'FORBIDDEN']);
});

const noticesOf = async (tenantId: string) =>
  (
    await panel.sql<{ payload: Record<string, unknown> }>(
      `select payload from billing.outbox where tenant_id = $1 and topic = 'billing.notice.raised' order by xid, id`,
      [tenantId],
    )
  ).map(({ payload }) => payload);

test('a limit that is reached names the plan under which it would not be', async () => {
  const tenant = await panel.world.tenant();
  const token = await tenant.enrollmentToken();
  const enroll = async (name: string) =>
    panel.world.rest('/api/agent/enroll', {
      body: { token, name, hostname: `${name}.example.com`, version: '0.2.9' },
    });
  const answers = await Promise.all(Array.from({ length: 30 }, async (_, index) => enroll(`n${index}`)));
  const refused = answers.filter(({ status }) => status === 409);
  expect([answers.length - refused.length, refused.length]).toEqual([3, 27]);
  expect(refused[0]?.body).toEqual({
    error: 'The plan free allows 3 instances',
    details: { limit: 3, used: 3, plan: 'pro' },
  });
});

test('while more is stored than the plan allows no node joins, and those that are there go on', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  const token = await tenant.enrollmentToken();
  const enroll = async (name: string) =>
    panel.world.rest('/api/agent/enroll', {
      body: { token, name, hostname: `${name}.example.com`, version: '0.2.9' },
    });
  expect((await node.beat({ storage_used_gb: 12.5 })).status).toBe(200);
  const refused = await enroll('over');
  expect([refused.status, refused.headers.get('x-error-reason'), refused.body]).toEqual([
    409,
    'STORAGE_LIMIT',
    {
      error: 'The plan free allows 10 GB of storage, and 12.5 are in use',
      details: { limit: 10, used: 12.5, plan: 'pro' },
    },
  ]);
  expect((await node.beat({ storage_used_gb: 10 })).status).toBe(200);
  expect((await enroll('within')).status).toBe(201);
  // What a beat leaves out stays; of what is not measured any more nothing is counted.
  expect((await node.beat({ storage_used_gb: 14 })).status).toBe(200);
  expect((await node.beat({})).status).toBe(200);
  expect((await enroll('over')).status).toBe(409);
  expect((await node.beat({ storage_used_gb: null })).status).toBe(200);
  expect((await enroll('unmeasured')).status).toBe(201);
});

test('whoever has no node any more stores nothing', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  await node.beat({ storage_used_gb: 12.5 });
  const stored = async () => {
    const [row] = await panel.sql<{ used: number }>(
      `select used from billing.usage_level where tenant_id = $1 and metric = 'storageGb'`,
      [tenant.id],
    );
    return row?.used;
  };
  await panel.clock.leap(3_700_000);
  await expect.poll(stored).toBe(12.5);
  await decommission(await signedIn(panel, tenant), node);
  await expect.poll(stored).toBe(0);
});

test('at 80 and 100 percent of a limit whoever pays is told, once each', async () => {
  const tenant = await panel.world.tenant();
  const nodes = [];
  for (let index = 0; index < 3; index += 1) nodes.push(await tenant.node());
  await until(async () => (await noticesOf(tenant.id)).length >= 1, 'the first notice');
  // 80 % of three is reached with all three.
  expect(await noticesOf(tenant.id)).toEqual([
    { notice: 'USAGE_AT_LIMIT', metric: 'instances', used: 3, limit: 3 },
  ]);
  await tenant.grantPlan('PRO');
  while (nodes.length < 25) nodes.push(await tenant.node());
  await until(async () => (await noticesOf(tenant.id)).length >= 3, 'the notices of the larger plan');
  expect((await noticesOf(tenant.id)).slice(1)).toEqual([
    { notice: 'USAGE_NEAR_LIMIT', metric: 'instances', used: 20, limit: 25 },
    { notice: 'USAGE_AT_LIMIT', metric: 'instances', used: 25, limit: 25 },
  ]);
  // The hourly measure says the same again, and nobody is told again.
  await panel.clock.advance(61 * 60_000);
  await until(async () => {
    const rows = await panel.sql('select 1 from billing.usage_record where tenant_id = $1', [tenant.id]);
    return rows.length > 0;
  }, 'an hour to be recorded');
  expect(await noticesOf(tenant.id)).toHaveLength(3);
});

test('use is recorded once for each hour, however often it is told', async () => {
  const tenant = await panel.world.tenant();
  await tenant.node();
  const records = async () =>
    panel.sql<{ metric: string; hour: Date; used: number }>(
      'select metric, hour, used from billing.usage_record where tenant_id = $1 order by metric, hour',
      [tenant.id],
    );
  for (let hour = 0; hour < 3; hour += 1) {
    await panel.clock.advance(60 * 60_000);
    await until(
      async () => (await records()).filter(({ metric }) => metric === 'instances').length > hour,
      'the hour to be recorded',
    );
  }
  const rows = await records();
  expect(new Set(rows.map(({ metric, hour }) => `${metric} ${hour.toISOString()}`)).size).toBe(rows.length);
  expect(rows.filter(({ metric }) => metric === 'instances').map(({ used }) => used)).toEqual(
    rows.filter(({ metric }) => metric === 'instances').map(() => 1),
  );
  const [last] = rows;
  const tell = async () =>
    panel.sql(
      `insert into fleet.outbox (event_id, tenant_id, topic, entity_id, entity_version, payload, caused_by, occurred_at)
       values ($1, $2, 'fleet.usage.measured', $2, (extract(epoch from clock_timestamp()) * 1e6)::bigint, $3, 'test', now())`,
      [`evt_${Math.random()}`, tenant.id, { hour: last!.hour.toISOString(), instances: 99, storageGb: 0 }],
    );
  await tell();
  await until(async () => {
    const [level] = await panel.sql<{ used: number }>(
      `select used from billing.usage_level where tenant_id = $1 and metric = 'instances'`,
      [tenant.id],
    );
    return level?.used === 99;
  }, 'the repeated measure to be taken');
  const again = (await records()).filter(
    ({ hour, metric }) => metric === 'instances' && +hour === +last!.hour,
  );
  expect(again.map(({ used }) => used)).toEqual([1]);
});

interface Bucket {
  start: string;
  mean: number | null;
  max: number | null;
}

test('what was used is told by the hour and by the day, with its mean and its most, to its own tenant', async () => {
  const tenant = await panel.world.tenant();
  const history = async (range: string, of: Tenant) =>
    of.graphql<{ usageHistory: { bucketSeconds: number; buckets: Bucket[] } }>(
      `query($range: String!) {
        usageHistory(metric: INSTANCES, range: $range) { bucketSeconds buckets { start mean max } }
      }`,
      { range },
    );
  const today = new Date(panel.clock.now());
  today.setUTCHours(0, 0, 0, 0);
  const [yesterday, one, two] = [24, 14, 13].map((hours) =>
    new Date(today.getTime() - hours * 3_600_000).toISOString(),
  );
  for (const [hour, instances] of [
    [one, 1],
    [two, 2],
  ])
    await panel.sql(
      `insert into fleet.outbox (event_id, tenant_id, topic, entity_id, entity_version, payload, caused_by, occurred_at)
       values ($1, $2, 'fleet.usage.measured', $2, (extract(epoch from clock_timestamp()) * 1e6)::bigint, $3, 'test', now())`,
      [`evt_${Math.random()}`, tenant.id, { hour, instances, storageGb: 0 }],
    );
  // What is measured meanwhile is of today.
  const before = async (range: string, of = tenant) => {
    const { bucketSeconds, buckets } = dataOf(await history(range, of)).usageHistory;
    const told = buckets.filter(({ start, max }) => Date.parse(start) < today.getTime() && max !== null);
    return { bucketSeconds, length: buckets.length, told };
  };
  await until(async () => (await before('7d')).told.length === 2, 'both hours to be known');
  expect(await before('7d')).toEqual({
    bucketSeconds: 3_600,
    length: 7 * 24,
    told: [
      { start: one, mean: 1, max: 1 },
      { start: two, mean: 2, max: 2 },
    ],
  });
  expect(await before('30d')).toEqual({
    bucketSeconds: 86_400,
    length: 30,
    told: [{ start: yesterday, mean: 1.5, max: 2 }],
  });
  expect((await before('30d', await panel.world.tenant())).told).toEqual([]);
  expect(refusal(await history('1y', tenant))).toEqual({ code: 'BAD_REQUEST' });
});

test('without a payment provider plans can be read, and what needs one says so', async () => {
  const tenant = await panel.world.tenant();
  const answer = await tenant.graphql('mutation { createPortalSession { url } }');
  expect(answer.errors?.[0]?.extensions).toMatchObject({ code: 'CONFLICT', reason: 'NO_PAYMENT_PROVIDER' });
  expect(dataOf(await tenant.graphql('{ paymentMode subscription { plan isTrialAvailable } }'))).toEqual({
    paymentMode: 'NONE',
    subscription: { plan: 'FREE', isTrialAvailable: false },
  });
  const webhook = await fetch(`${panel.panel.url}/webhooks/stripe`, { method: 'POST', body: '{}' });
  expect(webhook.status).toBe(404);
});
