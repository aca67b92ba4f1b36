import { afterAll, beforeAll, expect, test } from 'vitest';

import { client, provider } from '../identity/msp/support.js';
import { Mailbox } from '../identity/support/mailbox.js';
import { dataOf } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until } from '../support/world.js';
import {
  approved,
  changesIn,
  decide,
  decommission,
  enrollMany,
  partnerOf,
  register,
  untilTier,
} from './support/partners.js';

let mailbox: Mailbox;
let panel: TestPanel;
beforeAll(async () => {
  mailbox = await Mailbox.start();
  panel = await startTestPanel({ SMTP_URL: mailbox.url });
});
afterAll(async () => {
  await panel.stop();
  await mailbox[Symbol.asyncDispose]();
});

test('the 25th node of clients and the partner together makes Gold, the 24th takes it away again', async () => {
  const parent = await provider(panel);
  const child = await client(panel, mailbox, parent, { instance_limit: 10 });
  const own = await enrollMany(parent, 19);
  // Registered after it has nodes, and approved: what it has counts at once.
  const id = await register(parent);
  await until(async () => (await partnerOf(parent, id)).instances === 19, 'its own nodes to count');
  expect((await partnerOf(parent, id)).tier).toBeNull();
  expect(dataOf(await decide(panel, 'approvePartner', id)).approvePartner.tierId).toBe('tier_silver');
  await enrollMany(child, 5);
  await until(async () => (await partnerOf(parent, id)).instances === 24, 'the nodes of the client to count');
  expect(await partnerOf(parent, id)).toMatchObject({ tier: 'tier_silver', discount_percent: 10 });
  const outlook = await parent.graphql(
    `query($id: ID!) { partner(id: $id) { tier { name features } outlook {
       nextTier { id } instancesMissing lowerTier { id } instancesToSpare } } }`,
    { id },
  );
  expect(dataOf(outlook)).toEqual({
    partner: {
      tier: { name: 'Silver', features: ['priority-support', 'co-branding'] },
      outlook: { nextTier: { id: 'tier_gold' }, instancesMissing: 1, lowerTier: null, instancesToSpare: 19 },
    },
  });

  const [last] = await enrollMany(child, 1);
  await untilTier(parent, id, 'tier_gold');
  expect(await partnerOf(parent, id)).toMatchObject({ instances: 25, discount_percent: 20 });
  await decommission(child, last!);
  await untilTier(parent, id, 'tier_silver');
  await enrollMany(parent, 1);
  await untilTier(parent, id, 'tier_gold');
  await decommission(parent, own[0]!);
  await untilTier(parent, id, 'tier_silver');

  const history = await parent.graphql<{ partnerTierChanges: { nodes: unknown[]; totalCount: number } }>(
    `query($id: ID!) { partnerTierChanges(partnerId: $id, first: 3) {
       nodes { fromTier toTier instances reason } totalCount } }`,
    { id },
  );
  const step = (fromTier: string, toTier: string, instances: number) => ({
    fromTier,
    toTier,
    instances,
    reason: 'INSTANCES',
  });
  expect(dataOf(history).partnerTierChanges).toEqual({
    nodes: [
      step('tier_gold', 'tier_silver', 24),
      step('tier_silver', 'tier_gold', 25),
      step('tier_gold', 'tier_silver', 24),
    ],
    totalCount: 5,
  });
  const told = await panel.sql<{ tier: string }>(
    `select payload ->> 'tier' as tier from billing.outbox
     where tenant_id = $1 and topic = 'billing.partner.changed' and payload ->> 'fromTier' is distinct from payload ->> 'tier'
     order by entity_version`,
    [parent.id],
  );
  const tiers = ['tier_silver', 'tier_gold', 'tier_silver', 'tier_gold', 'tier_silver'];
  expect(told.map(({ tier }) => tier)).toEqual(tiers);
  const mails = () => mailbox.mails.filter(({ to }) => to === parent.account.email);
  await until(
    async () => mails().filter(({ subject }) => / partner/.test(subject)).length === 5,
    'the mails',
  );
  expect(mails().map(({ subject }) => subject)).toEqual(
    expect.arrayContaining(['You are a partner', 'Your partner tier is Gold', 'Your partner tier is Silver']),
  );
  await until(
    async () => ((await changesIn(panel, parent, 'changePartnerTier')) as unknown[]).length === 4,
    'the trail to have them all',
  );
  expect(await changesIn(panel, parent, 'changePartnerTier')).toContainEqual({
    actor: 'svc:billing',
    changes: { from: 'tier_silver', to: 'tier_gold', instances: 25 },
  });
}, 120_000);

test('suspending takes the tier, approving again gives it back', async () => {
  const tenant = await provider(panel);
  await enrollMany(tenant, 5);
  const id = await approved(panel, tenant);
  await untilTier(tenant, id, 'tier_silver');
  dataOf(await decide(panel, 'suspendPartner', id));
  expect(await partnerOf(tenant, id)).toMatchObject({ status: 'suspended', tier: null, discount_percent: 0 });
  await enrollMany(tenant, 20);
  await until(async () => (await partnerOf(tenant, id)).instances === 25, 'the nodes to count');
  expect((await partnerOf(tenant, id)).tier).toBeNull();
  dataOf(await decide(panel, 'approvePartner', id));
  expect(await partnerOf(tenant, id)).toMatchObject({ tier: 'tier_gold', discount_percent: 20 });
  const { partnerTierChanges } = dataOf(
    await tenant.graphql<{ partnerTierChanges: { nodes: { reason: string }[] } }>(
      'query($id: ID!) { partnerTierChanges(partnerId: $id) { nodes { reason } } }',
      { id },
    ),
  );
  expect(partnerTierChanges.nodes.slice(0, 2).map(({ reason }) => reason)).toEqual(['APPROVED', 'SUSPENDED']);
});

test('an erased client counts no more', async () => {
  const parent = await provider(panel);
  const child = await client(panel, mailbox, parent, { instance_limit: 5 });
  await enrollMany(child, 5);
  const id = await approved(panel, parent);
  await untilTier(parent, id, 'tier_silver');
  await panel.sql(
    `insert into identity.outbox (event_id, tenant_id, topic, entity_id, payload, caused_by, occurred_at)
     values ('evt_' || gen_random_uuid(), $1, 'identity.tenant.erased', $2, jsonb_build_object('tenantId', $2::text, 'erasureId', 'ers_test'), 'test', now())`,
    [parent.id, child.id],
  );
  await panel.clock.advance(2_000);
  await untilTier(parent, id, null);
  expect((await partnerOf(parent, id)).instances).toBe(0);
});
