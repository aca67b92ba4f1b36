import { afterAll, beforeAll, expect, test } from 'vitest';

import { allPermissions } from '#panel/areas.js';
import { Database } from '#platform/database/database.js';
import { silentLogger } from '#platform/logger.js';
import { ApiKey } from '#subgraphs/identity/api-key/api-key.entity.js';
import { KeysOfMember } from '#subgraphs/identity/api-key/keys-of-member.service.js';
import { changeAdministrator } from '#subgraphs/identity/setup/change-administrator.job.js';
import { User } from '#subgraphs/identity/user/user.entity.js';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, testAdministrator, testSecretsKey, type TestPanel } from '../../support/panel.js';
import { runProgram } from '../../support/process.js';
import { until } from '../../support/world.js';
import { entryOf } from '../audit/support.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

/** What `npm run administrator` does, in another process than the panel's. */
async function administrator(change: 'grant' | 'revoke', email: string): Promise<void> {
  const database = await Database.open({
    area: 'identity',
    url: panel.database.url,
    entities: [User, ApiKey],
    poolSize: 3,
    logger: silentLogger,
  });
  try {
    const keys = new KeysOfMember(allPermissions);
    await changeAdministrator({ database, clock: panel.clock, keys }, change, email);
  } finally {
    await database.close();
  }
}

const tenants = async (token: string) => panel.world.graphql('{ tenants { totalCount } }', {}, token);

test('whoever runs the machine makes a second administrator, who lets in the one that lost the second factor', async () => {
  const { email, password } = testAdministrator;
  const first = (await panel.world.login(email, password)).body;
  await panel.sql('update identity."user" set totp_confirmed_at = $1 where id = $2', [
    panel.clock.now(),
    first.user.id,
  ]);
  const tenant = await panel.world.tenant();
  expect(refusal(await tenants(tenant.token))).toMatchObject({ code: 'FORBIDDEN' });
  await administrator('grant', tenant.account.email.toUpperCase());
  const second = (await panel.world.login(tenant.account.email, tenant.account.password)).body.access_token;
  dataOf(await tenants(second));
  const reset = await panel.world.graphql(
    'mutation($input: ResetSecondFactorInput!) { resetSecondFactor(input: $input) { totpEnabled } }',
    {
      input: {
        userId: first.user.id,
        tenantId: first.user.tenant.id,
        currentPassword: tenant.account.password,
      },
    },
    second,
  );
  expect(dataOf(reset)).toEqual({ resetSecondFactor: { totpEnabled: false } });
  dataOf(await tenants((await panel.world.login(email, password)).body.access_token));

  await administrator('revoke', tenant.account.email);
  const ended = async () => (await tenants(second)).errors?.[0]?.extensions['reason'] === 'TOKEN_REVOKED';
  await until(ended, 'the token of who is no administrator any more to be refused');
  const after = (await panel.world.login(tenant.account.email, tenant.account.password)).body.access_token;
  expect(refusal(await tenants(after))).toMatchObject({ code: 'FORBIDDEN' });
  const signedIn = Object.assign(Object.create(tenant) as typeof tenant, { token: after });
  for (const action of ['grantAdministrator', 'revokeAdministrator']) {
    expect(await entryOf(signedIn, action)).toMatchObject({ actorKind: 'operator', target: tenant.user.id });
  }
});

test('the last administrator stays, and there is none of an address without an account', async () => {
  await expect(administrator('revoke', testAdministrator.email)).rejects.toThrow(
    /last platform administrator/,
  );
  await expect(administrator('grant', 'nobody@example.com')).rejects.toThrow(/no account/);
});

/** The program itself, with nothing that could send mail. */
const program = async (...argv: string[]) =>
  runProgram(
    'administrator',
    { DATABASE_URL: panel.database.url, SECRETS_KEY: testSecretsKey, PUBLIC_URL: 'https://panel.test' },
    { argv },
  );

async function linkFor(email: string): Promise<string> {
  const { code, output } = await program('link', email);
  expect([code, output]).toEqual([0, expect.stringContaining('It is a secret')]);
  return /^ {2}https:\/\/panel\.test\/account\/reset-password#token=(\S+)$/m.exec(output)![1]!;
}

const choose = async (token: string, password: string) =>
  panel.world.rest<{ error?: string }>('/api/auth/password/reset', {
    body: { token, new_password: password },
  });

test('an administrator who is locked out is let in by a link that whoever runs the machine prints, once and for an hour', async () => {
  const tenant = await panel.world.tenant();
  const { email } = tenant.account;
  await administrator('grant', email);
  const [first, second] = [await linkFor(email), await linkFor(email.toUpperCase())];
  expect((await choose(first, 'a password of a link')).status).toBe(401);
  expect((await choose(second, 'a password of a link')).status).toBe(204);
  expect((await choose(second, 'and another password')).status).toBe(401);
  const { body, status } = await panel.world.login(email, 'a password of a link');
  expect(status).toBe(200);
  dataOf(await tenants(body.access_token));
  const signedIn = Object.assign(Object.create(tenant) as typeof tenant, { token: body.access_token });
  const entry = await entryOf(signedIn, 'makeResetLink');
  expect(entry).toMatchObject({ actorKind: 'operator', target: tenant.user.id });
  expect(JSON.stringify(entry)).not.toContain(second);

  const third = await linkFor(email);
  await panel.sql(`update identity.mail_token set expires_at = $1 where user_id = $2 and used_at is null`, [
    panel.clock.now(),
    tenant.user.id,
  ]);
  expect((await choose(third, 'yet another password')).status).toBe(401);
  await administrator('revoke', email);
});

test('there is no link for anybody else, and what cannot be made leaves nothing', async () => {
  const { account, user } = await panel.world.tenant();
  const links = async () =>
    panel.sql(`select from identity.mail_token where user_id = $1 and purpose = 'PASSWORD_RESET'`, [user.id]);
  expect(await program('link', account.email)).toEqual({
    code: 1,
    output: expect.stringContaining(`${account.email} is no platform administrator`),
  });
  expect(await links()).toEqual([]);
  expect(await program('link', 'nobody@example.com')).toEqual({
    code: 1,
    output: 'There is no account with the address nobody@example.com.\n',
  });
  for (const argv of [[], ['link'], ['reset', account.email], ['link', account.email, 'x']])
    expect(await program(...argv)).toEqual({
      code: 1,
      output: expect.stringMatching(/^npm run administrator -- grant /),
    });
});
