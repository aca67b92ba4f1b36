import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { Live } from '../../support/live.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { until, type Tenant } from '../../support/world.js';
import { Mailbox } from '../support/mailbox.js';
import { client, provider } from './support.js';

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

interface Health {
  healthy: number;
  degraded: number;
  offline: number;
  criticalAlerts: number;
  warningAlerts: number;
  infoAlerts: number;
  overallScore: number | null;
  needsAttention: boolean;
}

interface Told {
  mspClientChanged: { id: string; health: Health };
}

const figures =
  'healthy degraded offline criticalAlerts warningAlerts infoAlerts overallScore needsAttention';
const document = `subscription { mspClientChanged { id health { ${figures} } } }`;
const nothing: Health = {
  healthy: 0,
  degraded: 0,
  offline: 0,
  criticalAlerts: 0,
  warningAlerts: 0,
  infoAlerts: 0,
  overallScore: null,
  needsAttention: false,
};

const idsOf = async (parent: Tenant, filter: object) =>
  dataOf(
    await parent.graphql<{ mspClients: { nodes: { id: string }[]; totalCount: number } }>(
      'query ($filter: MspClientFilter) { mspClients(filter: $filter) { nodes { id } totalCount } }',
      { filter },
    ),
  ).mspClients;

/** As fleet would tell it. */
const tell = async (tenantId: string, version: number, counts: object) =>
  panel.sql(
    `insert into fleet.outbox (event_id, tenant_id, topic, entity_id, entity_version, payload, caused_by, occurred_at)
     values ('evt_' || gen_random_uuid(), $1, 'fleet.health.counted', $1, $2, $3, 'test', now())`,
    [tenantId, version, { degraded: 0, offline: 0, critical: 0, warning: 0, info: 0, ...counts }],
  );

test('a provider sees live how its clients fare, in figures, and nobody else does', async () => {
  const [parent, stranger] = [await provider(panel), await provider(panel)];
  const acme = await client(panel, mailbox, parent);
  const quiet = await client(panel, mailbox, parent, { name: '100 % quiet' });
  await using live = new Live<Told>(panel.panel.url, parent.token, document);
  await using unrelated = new Live<Told>(panel.panel.url, stranger.token, document);
  await using own = new Live<Told>(panel.panel.url, acme.token, document);
  for (const one of [live, unrelated, own]) await one.opened();
  const health = () =>
    live.results.findLast(({ data }) => data?.mspClientChanged.id === acme.id)?.data?.mspClientChanged.health;

  const [steady, silent] = [await acme.node('steady'), await acme.node('silent')];
  await Promise.all([steady.beat(), silent.beat()]);
  await panel.clock.advanceUntil(() => health()?.healthy === 2);
  expect(health()).toEqual({ ...nothing, healthy: 2 });
  expect((await idsOf(parent, { needsAttention: true })).totalCount).toBe(0);

  for (let beats = 0; beats < 4; beats += 1) {
    await panel.clock.advance(25_000);
    await steady.beat();
  }
  await panel.clock.advanceUntil(() => health()?.criticalAlerts === 1);
  expect(health()).toEqual({
    ...nothing,
    healthy: 1,
    offline: 1,
    criticalAlerts: 1,
    needsAttention: true,
  });
  expect(await idsOf(parent, { needsAttention: true })).toEqual({ nodes: [{ id: acme.id }], totalCount: 1 });
  expect((await idsOf(parent, { needsAttention: false })).nodes).toEqual([{ id: quiet.id }]);

  const rule = { condition: 'instance.status', operator: 'equals', value: 'online' };
  const policy = await acme.rest('/api/governance/policies', {
    body: { name: 'Everything is there', type: 'compliance', rule, enforcement: 'advisory' },
  });
  expect([policy.status, policy.text]).toEqual([201, expect.anything()]);
  await panel.clock.advanceUntil(() => health()?.overallScore === 50);

  // What comes late, or twice, changes nothing.
  await tell(acme.id, 1, { healthy: 9 });
  await tell(acme.id, 1_000, { healthy: 7 });
  await tell(acme.id, 1_000, { healthy: 8 });
  await tell(quiet.id, 1_000, { healthy: 3 });
  await until(
    async () => live.results.at(-1)?.data?.mspClientChanged.id === quiet.id,
    'what was told last',
    10_000,
  );
  expect(health()).toMatchObject({ healthy: 7, offline: 0, overallScore: 50, needsAttention: false });
  expect(live.results.some(({ data }) => [8, 9].includes(data!.mspClientChanged.health.healthy))).toBe(false);

  // Neither another provider nor the client itself is told, and what is told leads to nothing of the client's.
  expect([unrelated.results, own.results]).toEqual([[], []]);
  expect(JSON.stringify(live.results)).not.toMatch(/steady|silent|ins_|alr_/);
  expect((await idsOf(stranger, {})).totalCount).toBe(0);
  expect(refusal(await acme.graphql('{ mspClients { totalCount } }'))).toMatchObject({
    code: 'PLAN_REQUIRED',
  });
});

test('clients are found by name, contact and state', async () => {
  const parent = await provider(panel);
  const acme = await client(panel, mailbox, parent, { name: 'Acme Corp' });
  const other = await client(panel, mailbox, parent, { name: '100 % Bolts' });
  const found = async (filter: object) => (await idsOf(parent, filter)).nodes.map(({ id }) => id);
  expect(await found({})).toEqual([acme.id, other.id]);
  expect(await found({ search: 'acme' })).toEqual([acme.id]);
  expect(await found({ search: acme.account.email.toUpperCase() })).toEqual([acme.id]);
  // What is a pattern elsewhere is text here.
  expect(await found({ search: '%' })).toEqual([other.id]);
  expect((await parent.rest(`/api/msp/clients/${other.id}/suspend`, { method: 'POST' })).status).toBe(200);
  expect(await found({ status: 'SUSPENDED' })).toEqual([other.id]);
  expect(await found({ status: 'ACTIVE', search: 'corp' })).toEqual([acme.id]);
  const tooLong = await parent.graphql(
    'query ($search: String) { mspClients(filter: { search: $search }) { totalCount } }',
    { search: 'x'.repeat(255) },
  );
  expect(refusal(tooLong)).toMatchObject({ code: 'VALIDATION_FAILED' });
});
