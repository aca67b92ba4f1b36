import { afterAll, beforeAll, expect, test } from 'vitest';

import { allPermissions } from '#panel/areas.js';
import { Database } from '#platform/database/database.js';
import { silentLogger } from '#platform/logger.js';
import { ApiKey } from '#subgraphs/identity/api-key/api-key.entity.js';
import { KeysOfMember } from '#subgraphs/identity/api-key/keys-of-member.service.js';
import { changeAdministrator } from '#subgraphs/identity/setup/change-administrator.job.js';
import { User } from '#subgraphs/identity/user/user.entity.js';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, testAdministrator, type TestPanel } from '../../support/panel.js';
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
