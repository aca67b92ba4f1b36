import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
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

const state = async (kind: string, token: string) => {
  const query = 'query($kind: LinkKind!, $token: String!) { linkState(kind: $kind, token: $token) }';
  return dataOf(await panel.world.graphql<{ linkState: string }>(query, { kind, token })).linkState;
};

test('a link says how it is as often as it is asked, and is good for its own purpose only', async () => {
  const tenant = await panel.world.tenant();
  const token = await mailbox.token(tenant.account.email, /Confirm/);
  const asked = [await state('EMAIL_VERIFICATION', token), await state('EMAIL_VERIFICATION', token)];
  expect([...asked, await state('PASSWORD_RESET', token), await state('INVITATION', token)]).toEqual([
    'OPEN',
    'OPEN',
    'UNKNOWN',
    'UNKNOWN',
  ]);
  const verify = 'mutation($token: String!) { verifyEmail(input: { token: $token }) { email } }';
  dataOf(await panel.world.graphql(verify, { token }));
  expect(await state('EMAIL_VERIFICATION', token)).toBe('USED');
  expect(await state('SETUP', token)).toBe('UNKNOWN');
});

test('links that were replaced are used, and those whose time is over have expired', async () => {
  const tenant = await panel.world.tenant();
  const { email, password } = tenant.account;
  const forgot = async () => {
    await panel.world.rest('/api/auth/password/forgot', { body: { email } });
    return mailbox.token(email, /new password/);
  };
  const [first, second] = [await forgot(), await forgot()];
  const next = `${randomUUID()}@example.com`;
  await tenant.rest('/api/auth/profile', {
    method: 'PUT',
    body: { email: next, current_password: password },
  });
  const change = await mailbox.token(next, /Confirm your new/);
  const guest = `${randomUUID()}@example.com`;
  const invite = 'mutation($input: InviteMemberInput!) { inviteMember(input: $input) { id } }';
  dataOf(await tenant.graphql(invite, { input: { email: guest, role: 'VIEWER' } }));
  const invitation = await mailbox.token(guest, /Join/);
  const all = async () => [
    await state('PASSWORD_RESET', first),
    await state('PASSWORD_RESET', second),
    await state('EMAIL_CHANGE', change),
    await state('INVITATION', invitation),
  ];
  expect(await all()).toEqual(['USED', 'OPEN', 'OPEN', 'OPEN']);
  await panel.clock.leap(8 * 24 * 60 * 60_000);
  expect((await all()).map((word) => word === 'OPEN')).toEqual([false, false, false, false]);
});
