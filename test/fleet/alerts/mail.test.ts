import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { confirmedMailTo, MailServer, mailTo } from './support/mail.js';
import { firing, soon, updateRule } from './support/panel.js';
import { deliveries } from './support/webhook.js';

let server: MailServer;
let panel: TestPanel;
beforeAll(async () => {
  server = await MailServer.start();
  panel = await startTestPanel({ SMTP_URL: server.url, MAIL_FROM: 'panel@panel.test' });
});
afterAll(async () => {
  await panel.stop();
  await server[Symbol.asyncDispose]();
});

/** As if everybody had opened their link: for what is not about that. */
const confirmAll = async () => panel.sql('update fleet.notification_address set confirmed_at = mailed_at');

test('alerts are mailed to everybody on the list, again after the mail server refused', async () => {
  const tenant = await panel.world.tenant();
  const create =
    'mutation($input: CreateEmailChannelInput!) { createEmailChannel(input: $input) { kind url } }';
  expect(
    refusal(await tenant.graphql(create, { input: { name: 'ops', recipients: ['nobody'] } })),
  ).toMatchObject({ code: 'VALIDATION_FAILED' });
  await confirmedMailTo(panel, server, tenant, ['a@example.com', 'b@example.com']);
  await updateRule(tenant, { kind: 'OFFLINE', isEnabled: false });
  server.refusals.push(451);
  await firing(panel, tenant, 'web-1');
  const alerts = () => server.to('a@example.com', /^Firing/);
  await soon(panel, async () => alerts().length === 1, 'the mail');
  expect(alerts()[0]?.raw).toContain('To: a@example.com, b@example.com');
  expect(alerts()[0]?.raw).toContain('From: panel@panel.test');
  expect(alerts()[0]?.subject).toBe('Firing: web-1: The CPU is at 97.3 %, the limit is 90 %');
  await soon(panel, async () => (await deliveries(tenant))[0]?.status === 'DELIVERED', 'the log');
  // What the mail server said is the operator's to read; the code is enough for the tenant.
  expect((await deliveries(tenant))[0]?.attempts).toEqual([
    { statusCode: null, error: 'The mail server answered 451' },
    { statusCode: null, error: null },
  ]);
});

test('a hundred mails leave within an hour, the last ones say so, and the rest is in the log', async () => {
  const tenant = await panel.world.tenant();
  const recipients = Array.from({ length: 10 }, (_, at) => `ops-${at}@example.com`);
  const channelId = await mailTo(tenant, recipients);
  await confirmAll();
  const send = 'mutation($channelId: ID!) { sendTestNotification(channelId: $channelId) { id } }';
  for (let time = 0; time < 11; time += 1) {
    dataOf(await tenant.graphql(send, { channelId }));
    const all = async () => deliveries(tenant);
    await soon(panel, async () => (await all()).every(({ status }) => status !== 'PENDING'), 'a test');
  }
  const mails = server.to('ops-0@example.com', /^Test/);
  expect(mails).toHaveLength(10);
  expect(mails.filter(({ text }) => text.includes('nearly used up'))).toEqual([mails.at(-1)]);
  expect((await deliveries(tenant))[0]).toMatchObject({
    status: 'FAILED',
    attempts: [{ error: 'The 100 alert mails of an hour are used up' }],
  });
  const others = await panel.world.tenant();
  await mailTo(others, ['others@example.com']);
  await confirmAll();
  await firing(panel, others);
  await soon(
    panel,
    async () => server.to('others@example.com', /^Firing/).length > 0,
    "another tenant's mail",
  );
});

test('twenty tests may be sent within an hour', async () => {
  const tenant = await panel.world.tenant();
  const channelId = await mailTo(tenant, ['tested@example.com']);
  const send = 'mutation($channelId: ID!) { sendTestNotification(channelId: $channelId) { id } }';
  const answers = await Promise.all(
    Array.from({ length: 21 }, async () => tenant.graphql(send, { channelId })),
  );
  expect(answers.filter(({ errors }) => errors).map(refusal)).toEqual([
    { code: 'RATE_LIMITED', reason: 'TOO_MANY_TESTS', retryAfterSeconds: 3_600 },
  ]);
});
