import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { brandingVersionsMigration } from '#subgraphs/identity/migrations/085-branding-versions.js';

import { client, provider } from '../../identity/msp/support.js';
import { Mailbox } from '../../identity/support/mailbox.js';
import { dataOf } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { until, type Tenant } from '../../support/world.js';
import { mailTo } from './support/mail.js';
import { soon } from './support/panel.js';

let mailbox: Mailbox;
let panel: TestPanel;
beforeAll(async () => {
  mailbox = await Mailbox.start();
  panel = await startTestPanel({ SMTP_URL: mailbox.url, MAIL_FROM: 'Panel <panel@panel.test>' });
});
afterAll(async () => {
  await panel.stop();
  await mailbox[Symbol.asyncDispose]();
});

const cloudHost = { company_name: 'CloudHost Pro', support_email: 'support@cloudhost.pro' };

async function branded(tenant: Tenant, body: object): Promise<void> {
  const answer = await tenant.rest('/api/msp/branding', { method: 'PUT', body });
  expect(answer.status).toBe(200);
}

/** A channel of the tenant, and what its next mail shows of whoever it comes from. */
async function channelOf(tenant: Tenant): Promise<() => Promise<string[]>> {
  const email = `${randomUUID()}@example.com`;
  const channelId = await mailTo(tenant, [email]);
  await panel.sql('update fleet.notification_address set confirmed_at = mailed_at where email = $1', [email]);
  return async () => {
    const send = 'mutation($channelId: ID!) { sendTestNotification(channelId: $channelId) { id } }';
    const isTest = ({ to, subject }: { to: string; subject: string }) =>
      to === email && subject.startsWith('Test');
    const before = mailbox.mails.filter(isTest).length;
    dataOf(await tenant.graphql(send, { channelId }));
    await soon(panel, async () => mailbox.mails.filter(isTest).length > before, 'the mail');
    const mail = mailbox.mails.findLast(isTest)!;
    return [...mail.headers.split('\r\n'), ...mail.text.split('\r\n')].filter((line) =>
      /^(From|Reply-To|Questions\?)/.test(line),
    );
  };
}

const fromPanel = ['From: Panel <panel@panel.test>'];
const fromProvider = [
  'From: CloudHost Pro <panel@panel.test>',
  'Reply-To: support@cloudhost.pro',
  'Questions? support@cloudhost.pro',
];

/** Until fleet knows that the tenant is to show this name. */
async function known(tenant: Tenant, name: string | undefined): Promise<void> {
  await until(async () => {
    const [shown] = await panel.sql('select company_name from fleet.find_branding($1)', [tenant.id]);
    return shown?.['company_name'] === name;
  }, `fleet to know of ${name}`);
}

test("a client's alerts are mailed in its provider's name, until it has its own; others' are not", async () => {
  const parent = await provider(panel);
  const customer = await client(panel, mailbox, parent, { plan: 'enterprise' });
  const shown = await channelOf(customer);
  expect(await shown()).toEqual(fromPanel);
  await branded(parent, cloudHost);
  await known(customer, 'CloudHost Pro');
  expect(await shown()).toEqual(fromProvider);
  expect(await (await channelOf(parent))()).toEqual(fromProvider);
  expect(await (await channelOf(await provider(panel)))()).toEqual(fromPanel);
  await branded(customer, { company_name: 'Big\r\nBcc: victim@example.com' });
  await known(customer, 'Big Bcc: victim@example.com');
  expect(await shown()).toEqual(['From: "Big Bcc: victim@example.com" <panel@panel.test>']);
});

test('alerts are mailed in the name of the panel once the plan has no branding any more', async () => {
  const parent = await provider(panel);
  const customer = await client(panel, mailbox, parent);
  await branded(parent, cloudHost);
  await known(customer, 'CloudHost Pro');
  const shown = await channelOf(customer);
  expect(await shown()).toEqual(fromProvider);
  const grant = 'mutation($id: ID!) { grantPlan(input: { tenantId: $id, plan: PRO }) { plan } }';
  dataOf(await panel.world.graphql(grant, { id: parent.id }, await panel.world.administrator()));
  await known(customer, undefined);
  expect(await shown()).toEqual(fromPanel);
});

test('a branding that was overtaken changes nothing', async () => {
  const tenant = await provider(panel);
  for (const company_name of ['First', 'Second']) await branded(tenant, { company_name });
  await known(tenant, 'Second');
  await panel.sql(
    `insert into identity.outbox (event_id, tenant_id, topic, entity_id, entity_version, payload, caused_by, occurred_at)
     select 'evt_again_' || id, tenant_id, topic, entity_id, entity_version, payload, caused_by, occurred_at
     from identity.outbox where topic = 'identity.branding.changed' and tenant_id = $1
       and payload ->> 'companyName' = 'First'`,
    [tenant.id],
  );
  // Comes after it.
  const other = await provider(panel);
  await branded(other, { company_name: 'Other' });
  await known(other, 'Other');
  expect(await (await channelOf(tenant))()).toEqual(['From: Second <panel@panel.test>']);
});

test('brandings and clients from before fleet listened are told to it by the migration', async () => {
  const parent = await provider(panel);
  const customer = await client(panel, mailbox, parent);
  await branded(parent, { ...cloudHost, company_name: 'Cloud\tHost\u0001' });
  await known(customer, 'Cloud Host');
  await panel.sql('delete from fleet.branding', []);
  await known(customer, undefined);
  const again = brandingVersionsMigration.statements.filter((statement) => statement.startsWith('insert'));
  expect(again).toHaveLength(2);
  for (const statement of again) await panel.sql(statement, []);
  await known(customer, 'Cloud Host');
  await branded(parent, { company_name: 'Newer' });
  await known(customer, 'Newer');
});
