import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import type { Tenant } from '../../support/world.js';
import { Mailbox } from '../support/mailbox.js';

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

const invite = async (tenant: Tenant, email: string) =>
  tenant.graphql<{ inviteMember: { id: string } }>(
    'mutation($input: InviteMemberInput!) { inviteMember(input: $input) { id } }',
    { input: { email, role: 'VIEWER' } },
  );

const refused = {
  code: 'RATE_LIMITED',
  reason: 'TOO_MANY_ATTEMPTS',
  retryAfterSeconds: expect.any(Number),
};

test("nobody's mailbox is filled with invitations, also not by several organizations", async () => {
  const [one, other] = [await panel.world.tenant(), await panel.world.tenant()];
  const email = `${randomUUID()}@example.com`;
  for (let times = 0; times < 3; times += 1) dataOf(await invite(one, email));
  expect(refusal(await invite(one, email))).toEqual(refused);
  expect(refusal(await invite(other, email.toUpperCase()))).toEqual(refused);
  await mailbox.receive(email, /Join/);
  await panel.clock.leap(60_000);
  dataOf(await invite(other, email));
});

test('an organization invites no more than so many strangers at a time, and what is refused is none', async () => {
  const tenant = await panel.world.tenant();
  // As two hundred but one have been invited.
  await panel.sql(
    `select identity.admit_attempt(key, $2, 200, 10), identity.settle_attempt(key, $2, 200, 'FAILED')
     from identity.attempt_key('invitation', $1) key, generate_series(1, 199)`,
    [tenant.id, panel.clock.now()],
  );
  expect(refusal(await invite(tenant, tenant.account.email))).toMatchObject({ reason: 'ALREADY_MEMBER' });
  dataOf(await invite(tenant, `${randomUUID()}@example.com`));
  const email = `${randomUUID()}@example.com`;
  for (let times = 0; times < 3; times += 1) expect(refusal(await invite(tenant, email))).toEqual(refused);
  // Nor does it keep others from inviting them.
  dataOf(await invite(await panel.world.tenant(), email));
});
