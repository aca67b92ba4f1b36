import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { until } from '../../support/world.js';
import { Mailbox } from '../support/mailbox.js';
import { giveRole, member, remove } from '../support/member.js';

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

const keyOf = async (token: string, ...permissions: string[]) => {
  const answer = await panel.world.graphql<{ createApiKey: { key: string } }>(
    'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }',
    { input: { name: 'door', permissions, currentPassword: 'correct horse battery' } },
    token,
  );
  return dataOf(answer).createApiKey.key;
};
const usable = async (key: string) =>
  (await panel.world.rest('/api/fleet/instances', { token: key })).status === 200;

test.concurrent('with a member go the API keys that they made', async () => {
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  const admin = await member(tenant, mailbox);
  const [theirs, other] = [
    await keyOf(admin.accessToken, 'fleet.instance.read'),
    await keyOf(tenant.token, 'fleet.instance.read'),
  ];
  expect([await usable(theirs), await usable(other)]).toEqual([true, true]);
  await remove(tenant, admin.user.id);
  await until(async () => !(await usable(theirs)), 'the key to end', 3_000);
  expect(await usable(other)).toBe(true);
});

test.concurrent('with a role go the API keys that may do more than the next one', async () => {
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  const admin = await member(tenant, mailbox);
  const [reads, audits] = [
    await keyOf(admin.accessToken, 'fleet.instance.read'),
    await keyOf(admin.accessToken, 'fleet.instance.read', 'identity.audit.read'),
  ];
  expect([await usable(reads), await usable(audits)]).toEqual([true, true]);
  await giveRole(tenant, admin.user.id, 'VIEWER');
  await until(async () => !(await usable(audits)), 'the key to end', 3_000);
  expect(await usable(reads)).toBe(true);
});
