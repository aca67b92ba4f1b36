import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import type { Tenant } from '../../support/world.js';
import { confirm, confirmedMailTo, MailServer, mailTo } from './support/mail.js';
import { firing, soon } from './support/panel.js';
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

const someone = () => `${randomUUID()}@example.com`;
const links = (email: string) => server.to(email, /^Confirm that/).length;
const again = `mutation($channelId: ID!) {
  sendAddressConfirmations(channelId: $channelId) { addresses { email isConfirmed } }
}`;
const invalid = { code: 'UNAUTHENTICATED', reason: 'ADDRESS_TOKEN_INVALID' };

async function standing(tenant: Tenant): Promise<boolean[][]> {
  const answer = await tenant.graphql<{
    notificationChannels: { nodes: { addresses: { isConfirmed: boolean }[] }[] };
  }>('{ notificationChannels { nodes { addresses { isConfirmed } } } }');
  return dataOf(answer).notificationChannels.nodes.map(({ addresses }) =>
    addresses.map(({ isConfirmed }) => isConfirmed),
  );
}

describe('an address', () => {
  test('gets one link and no alert until it is confirmed, and alerts from then on', async () => {
    const tenant = await panel.world.tenant();
    const [willing, silent] = [someone(), someone()];
    await mailTo(tenant, [willing, silent]);
    const token = await server.confirmationToken(willing);
    await firing(panel, tenant);
    await soon(panel, async () => (await deliveries(tenant))[0]?.status === 'FAILED', 'the delivery');
    expect((await deliveries(tenant))[0]?.attempts).toMatchObject([
      { error: 'No recipient has confirmed the address' },
    ]);
    expect(await standing(tenant)).toEqual([[false, false]]);

    expect(dataOf(await confirm(panel, token))).toEqual({
      confirmNotificationAddress: { email: willing, isConfirmed: true },
    });
    expect(await standing(tenant)).toEqual([[true, false]]);
    await firing(panel, tenant, 'second');
    await soon(panel, async () => server.to(willing, /^Firing: second/).length === 1, 'the mail');
    expect(server.mails.filter(({ to }) => to.includes(silent)).map(({ subject }) => subject)).toEqual([
      'Confirm that you want alerts',
    ]);
  });

  test('is asked once for all channels of a tenant, and anew for another tenant', async () => {
    const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
    const email = someone();
    await confirmedMailTo(panel, server, tenant, [email]);
    await mailTo(tenant, [email.toUpperCase()]);
    expect(await standing(tenant)).toEqual([[true], [true]]);
    await mailTo(other, [email]);
    expect(await standing(other)).toEqual([[false]]);
    await soon(panel, async () => links(email) === 2, "the other tenant's link");
  });

  test('that is added to a channel later is asked as well', async () => {
    const tenant = await panel.world.tenant();
    const id = await mailTo(tenant, [someone()]);
    const added = someone();
    const update =
      'mutation($input: UpdateNotificationChannelInput!) { updateNotificationChannel(input: $input) { id } }';
    dataOf(await tenant.graphql(update, { input: { id, recipients: [added] } }));
    dataOf(await confirm(panel, await server.confirmationToken(added)));
    expect(await standing(tenant)).toEqual([[true]]);
  });

  test('gets another link no sooner than after ten minutes, and five in all', async () => {
    const tenant = await panel.world.tenant();
    const email = someone();
    const channelId = await mailTo(tenant, [email]);
    dataOf(await tenant.graphql(again, { channelId }));
    await server.confirmationToken(email);
    for (let time = 0; time < 6; time += 1) {
      await panel.clock.advance(10 * 60_000);
      const login = await panel.world.login(tenant.account.email, tenant.account.password);
      Object.assign(tenant, { token: login.body.access_token });
      for (let twice = 0; twice < 2; twice += 1) dataOf(await tenant.graphql(again, { channelId }));
    }
    await soon(panel, async () => links(email) === 5, 'the links');
    await firing(panel, tenant);
    expect(links(email)).toBe(5);
    // The newest one is good.
    dataOf(await confirm(panel, await server.confirmationToken(email)));
    expect(dataOf(await tenant.graphql(again, { channelId }))).toEqual({
      sendAddressConfirmations: { addresses: [{ email, isConfirmed: true }] },
    });
  });
});

describe('a link', () => {
  test('works once, until another one was sent, and for three days', async () => {
    const tenant = await panel.world.tenant();
    const [used, replaced, late] = [someone(), someone(), someone()];
    await mailTo(tenant, [used, late]);
    const channelId = await mailTo(tenant, [replaced]);
    const token = await server.confirmationToken(used);
    dataOf(await confirm(panel, token));
    expect(refusal(await confirm(panel, token))).toEqual(invalid);

    const first = await server.confirmationToken(replaced);
    await panel.clock.advance(10 * 60_000);
    dataOf(await tenant.graphql(again, { channelId }));
    await soon(panel, async () => links(replaced) === 2, 'the second link');
    expect(refusal(await confirm(panel, first))).toEqual(invalid);

    const old = await server.confirmationToken(late);
    await panel.clock.advance(3 * 24 * 3_600_000);
    expect(refusal(await confirm(panel, old))).toEqual(invalid);
    expect(refusal(await confirm(panel, 'guessed'))).toEqual(invalid);
  });

  test('leads to a page with a button; its token is kept hashed and in no event', async () => {
    const tenant = await panel.world.tenant();
    const email = someone();
    await mailTo(tenant, [email]);
    const token = await server.confirmationToken(email);
    const page = await panel.world.rest('/notifications/confirm-address');
    expect([page.status, page.headers.get('content-security-policy')]).toEqual([
      200,
      expect.stringMatching(/^default-src 'none'; script-src 'sha256-/),
    ]);
    expect(page.text).toContain('<button>');
    dataOf(await confirm(panel, token));
    const kept = await panel.sql(
      `select to_jsonb(a)::text from fleet.notification_address a where email = $1
       union all select payload::text from fleet.outbox where tenant_id = $2`,
      [email, tenant.id],
    );
    expect(JSON.stringify(kept)).toContain('confirmNotificationAddress');
    expect(JSON.stringify(kept)).not.toContain(token);
  });
});

test('a tenant may ask thirty addresses within a day, whatever it does with its channels', async () => {
  const tenant = await panel.world.tenant();
  const ten = () => Array.from({ length: 10 }, someone);
  const remove = 'mutation($id: ID!) { deleteNotificationChannel(id: $id) { id } }';
  for (let time = 0; time < 3; time += 1)
    dataOf(await tenant.graphql(remove, { id: await mailTo(tenant, ten()) }));
  const create = 'mutation($input: CreateEmailChannelInput!) { createEmailChannel(input: $input) { id } }';
  const input = { name: 'more', recipients: [someone()] };
  expect(refusal(await tenant.graphql(create, { input }))).toMatchObject({
    code: 'RATE_LIMITED',
    reason: 'TOO_MANY_ADDRESSES',
  });
  expect(await standing(tenant)).toEqual([]);
});
