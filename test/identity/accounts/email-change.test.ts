import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import type { Tenant } from '../../support/world.js';
import { entryOf } from '../audit/support.js';
import { Mailbox } from '../support/mailbox.js';

let panel: TestPanel;
let mailbox: Mailbox;
beforeAll(async () => {
  mailbox = await Mailbox.start();
  panel = await startTestPanel({ SMTP_URL: mailbox.url });
});
afterAll(async () => {
  await panel.stop();
  await mailbox[Symbol.asyncDispose]();
});

const someone = () => `${randomUUID()}@example.com`;
const linkSubject = /Confirm your new/;

const ask = async (tenant: Tenant, email: string, current_password?: string) =>
  tenant.rest('/api/auth/profile', { method: 'PUT', body: { email, current_password } });

const askRightly = async (tenant: Tenant, email: string) => ask(tenant, email, tenant.account.password);

const confirm = async (token: string) =>
  panel.world.graphql<{ confirmEmailChange: unknown }>(
    'mutation($input: ConfirmEmailChangeInput!) { confirmEmailChange(input: $input) { email emailVerified } }',
    { input: { token } },
  );

const cancel = async (tenant: Tenant) =>
  tenant.graphql('mutation { cancelEmailChange { email pendingEmail } }');

const me = async (tenant: Tenant) =>
  dataOf(await tenant.graphql('{ me { email pendingEmail emailVerified } }'));

const signsIn = async (email: string, { account }: Tenant) =>
  (await panel.world.login(email, account.password)).status === 200;

const invalidLink = { code: 'UNAUTHENTICATED', reason: 'MAIL_TOKEN_INVALID' };

test.concurrent('a new address takes effect once its own mail was read, and the old one is told before and after', async () => {
  const tenant = await panel.world.tenant();
  const { email: old } = tenant.account;
  const email = someone();
  for (const [password, sentence] of [
    [undefined, 'Current password is required'],
    ['wrong', 'Current password is wrong'],
  ]) {
    const refused = await ask(tenant, email, password);
    expect([refused.status, refused.body]).toEqual([
      422,
      { error: 'Validation failed', details: { current_password: sentence } },
    ]);
  }
  const asked = await askRightly(tenant, email);
  expect([asked.status, asked.body, asked.headers.get('x-pending-email')]).toEqual([
    200,
    (await tenant.rest('/api/auth/me')).body,
    email,
  ]);
  expect(asked.body['email']).toBe(old);
  expect((await tenant.rest('/api/auth/me')).headers.get('x-pending-email')).toBe(email);
  expect([await signsIn(email, tenant), await signsIn(old, tenant)]).toEqual([false, true]);
  expect((await mailbox.receive(old, /about to change/)).text).toContain(email);

  const token = await mailbox.token(email, linkSubject);
  expect(dataOf(await confirm(token)).confirmEmailChange).toEqual({ email, emailVerified: true });
  expect(await me(tenant)).toEqual({ me: { email, pendingEmail: null, emailVerified: true } });
  expect([await signsIn(email, tenant), await signsIn(old, tenant)]).toEqual([true, false]);
  await mailbox.receive(old, /was changed/);
  expect((await entryOf(tenant, 'confirmEmailChange')).details).toMatchObject({
    changes: { email: { from: old, to: tenant.user.id } },
  });
  expect(refusal(await confirm(token))).toEqual(invalidLink);
});

test.concurrent('the address in force, also with spaces around it, is no change, and calls none off', async () => {
  const tenant = await panel.world.tenant();
  const email = someone();
  await askRightly(tenant, email);
  const same = await ask(tenant, ` ${tenant.account.email} `);
  expect([same.status, same.headers.get('x-pending-email')]).toEqual([200, email]);
});

test.concurrent('a link ends with a newer one, when it is called off, and with a new password', async () => {
  const tenant = await panel.world.tenant();
  const [first, second] = [someone(), someone()];
  await askRightly(tenant, first);
  await askRightly(tenant, second);
  expect(refusal(await confirm(await mailbox.token(first, linkSubject)))).toEqual(invalidLink);
  expect(await me(tenant)).toMatchObject({ me: { pendingEmail: second } });
  for (let times = 0; times < 2; times += 1) {
    expect(dataOf(await cancel(tenant))).toEqual({
      cancelEmailChange: { email: tenant.account.email, pendingEmail: null },
    });
  }
  expect(refusal(await confirm(await mailbox.token(second, linkSubject)))).toEqual(invalidLink);

  const other = await panel.world.tenant();
  const third = someone();
  await askRightly(other, third);
  const changed = await other.rest('/api/auth/change-password', {
    body: { current_password: other.account.password, new_password: 'a brand new password' },
  });
  expect(changed.status).toBe(204);
  expect(refusal(await confirm(await mailbox.token(third, linkSubject)))).toEqual(invalidLink);
});

test.concurrent('of two accounts that want one address the first to confirm has it', async () => {
  const [one, two] = [await panel.world.tenant(), await panel.world.tenant()];
  const email = someone();
  await askRightly(one, email);
  const theirs = await mailbox.token(email, linkSubject);
  await askRightly(two, email.toUpperCase());
  const others = await mailbox.token(email.toUpperCase().replace('EXAMPLE.COM', 'example.com'), linkSubject);
  dataOf(await confirm(others));
  expect(refusal(await confirm(theirs))).toEqual({ code: 'CONFLICT', reason: 'EMAIL_TAKEN' });
  expect((await askRightly(one, email)).status).toBe(409);
});

test.concurrent('of two uses of a link at once, one wins', async () => {
  const tenant = await panel.world.tenant();
  const email = someone();
  await askRightly(tenant, email);
  const token = await mailbox.token(email, linkSubject);
  const answers = await Promise.all([confirm(token), confirm(token)]);
  expect(answers.filter(({ errors }) => !errors)).toHaveLength(1);
});

test.concurrent('nobody else sees what is awaited, and calling off is for users', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  const query = 'mutation { cancelEmailChange { id } }';
  expect(refusal(await panel.world.graphql(query))).toEqual({ code: 'UNAUTHENTICATED' });
  expect(refusal(await panel.world.graphql(query, {}, node.credential))['code']).toBe('FORBIDDEN');
  const administrator = await panel.world.administrator();
  await panel.world.graphql(
    'mutation { updateProfile(input: { email: "else@example.com", currentPassword: "administrator-password" }) { id } }',
    {},
    administrator,
  );
  const seen = await panel.world.graphql('{ members { nodes { pendingEmail } } }', {}, administrator);
  expect(dataOf(seen)).toEqual({ members: { nodes: [{ pendingEmail: 'else@example.com' }] } });
  const members = await tenant.graphql('{ members { nodes { pendingEmail } } }');
  expect(dataOf(members)).toEqual({ members: { nodes: [{ pendingEmail: null }] } });
});

test('a link ends after a day', async () => {
  const tenant = await panel.world.tenant();
  const email = someone();
  await askRightly(tenant, email);
  const token = await mailbox.token(email, linkSubject);
  await panel.clock.leap(24 * 60 * 60_000);
  expect(refusal(await confirm(token))).toEqual(invalidLink);
});
