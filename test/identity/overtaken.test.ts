import { decodeJwt } from 'jose';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { refusal } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until } from '../support/world.js';
import { entryOf, settled, trailOf } from './audit/support.js';
import { Mailbox } from './support/mailbox.js';
import { member } from './support/member.js';
import { askForTotp, codeAt, enableTotp, nextCode } from './support/totp.js';

let panel: TestPanel;
let mailbox: Mailbox;
let other: pg.Client;
beforeAll(async () => {
  mailbox = await Mailbox.start();
  panel = await startTestPanel({ SMTP_URL: mailbox.url });
  other = new pg.Client({ connectionString: panel.database.ownerUrl });
  await other.connect();
});
afterAll(async () => {
  await other.end();
  await panel.stop();
  await mailbox[Symbol.asyncDispose]();
});

/** Runs `request` while another transaction holds what it wants; that one commits once the request waits for it. */
async function overtaking<T>(statement: string, values: unknown[], request: () => Promise<T>): Promise<T> {
  await other.query('begin');
  await other.query(statement, values);
  const answer = request();
  const [me] = (await other.query<{ pid: number }>('select pg_backend_pid() as pid')).rows;
  await until(async () => {
    const waiting = 'select 1 from pg_stat_activity where $1 = any(pg_blocking_pids(pid))';
    return (await panel.sql(waiting, [me!.pid])).length > 0;
  }, 'the request to wait for the other transaction');
  await other.query('commit');
  return answer;
}

const setPassword = 'update identity."user" set password_hash = $2 where id = $1';

async function hashOf(userId: string): Promise<string> {
  const rows = await panel.sql<{ h: string }>(
    'select password_hash as h from identity."user" where id = $1',
    [userId],
  );
  return rows[0]!.h;
}

describe('what was checked is checked again under the lock', () => {
  test('a password alone signs nobody in once TOTP was switched on meanwhile', async () => {
    const { account, user } = await panel.world.tenant();
    const statement = 'update identity."user" set totp_confirmed_at = now() where id = $1';
    const answer = await overtaking(statement, [user.id], () =>
      panel.world.login(account.email, account.password),
    );
    expect([answer.status, answer.body]).toEqual([401, { error: 'E-mail address or password is wrong' }]);
  });

  test('a password that was replaced meanwhile gives no challenge', async () => {
    const [tenant, donor] = [await panel.world.tenant(), await panel.world.tenant()];
    await enableTotp(panel, tenant);
    const answer = await overtaking(setPassword, [tenant.user.id, await hashOf(donor.user.id)], () =>
      panel.world.login(tenant.account.email, tenant.account.password),
    );
    expect([answer.status, answer.body]).toEqual([401, { error: 'E-mail address or password is wrong' }]);
  });

  test('a password that was replaced meanwhile changes no address', async () => {
    const [tenant, donor] = [await panel.world.tenant(), await panel.world.tenant()];
    const body = { email: 'stolen@overtaken.example', current_password: tenant.account.password };
    const answer = await overtaking(setPassword, [tenant.user.id, await hashOf(donor.user.id)], () =>
      tenant.rest('/api/auth/profile', { method: 'PUT', body }),
    );
    expect([answer.status, answer.body]).toEqual([
      422,
      { error: 'Validation failed', details: { current_password: 'Current password is wrong' } },
    ]);
  });

  test('a password that was replaced meanwhile switches no TOTP off', async () => {
    const [tenant, donor] = [await panel.world.tenant(), await panel.world.tenant()];
    const { secret } = await enableTotp(panel, tenant);
    const body = { current_password: tenant.account.password, code: await nextCode(panel, secret) };
    const answer = await overtaking(setPassword, [tenant.user.id, await hashOf(donor.user.id)], () =>
      tenant.rest('/api/auth/totp/disable', { body }),
    );
    expect(answer.status).toBe(422);
    const me = await tenant.rest<{ totp_enabled: boolean }>('/api/auth/me');
    expect(me.body.totp_enabled).toBe(true);
  });

  test('a refresh and the removal of its session wait for each other in one order', async () => {
    const { account } = await panel.world.tenant();
    const { access_token: token, refresh_token: refreshToken } = (
      await panel.world.login(account.email, account.password)
    ).body;
    // As a cascade does: the session, and then its tokens.
    await other.query('begin');
    await other.query('select 1 from identity.session where id = $1 for update', [decodeJwt(token)['sid']]);
    const refreshed = panel.world.rest('/api/auth/refresh', { body: { refresh_token: refreshToken } });
    await until(async () => {
      const waiting = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%identity%session%'`;
      return (await panel.sql(waiting)).length > 0;
    }, 'the refresh to wait for the session');
    await other.query('delete from identity.session where id = $1', [decodeJwt(token)['sid']]);
    await other.query('commit');
    expect((await refreshed).status).toBe(401);
  });
});

describe('a role that was lost meanwhile', () => {
  const currentPassword = 'correct horse battery';
  const owner = (userId: string) => ({ input: { userId, role: 'OWNER', currentPassword } });
  const mutations: [
    name: string,
    mutation: string,
    variables: (userId: string) => Record<string, unknown>,
  ][] = [
    [
      'invites nobody',
      'mutation($input: InviteMemberInput!) { inviteMember(input: $input) { id } }',
      () => ({ input: { email: 'overtaken@example.com', role: 'ADMIN' } }),
    ],
    [
      'makes nobody an owner',
      'mutation($input: ChangeMemberRoleInput!) { changeMemberRole(input: $input) { id } }',
      owner,
    ],
    ['removes nobody', 'mutation($id: ID!) { removeMember(id: $id) { id } }', (id) => ({ id })],
    [
      'grants nothing',
      'mutation($input: GrantDelegationInput!) { grantDelegation(input: $input) { id } }',
      () => ({ input: { role: 'ADMIN', expiresInHours: 1 } }),
    ],
    [
      'makes no client',
      'mutation($input: CreateMspClientInput!) { createMspClient(input: $input) { id } }',
      () => ({
        input: { name: 'Client', contactEmail: 'overtaken@example.com', instanceLimit: 1, plan: 'PRO' },
      }),
    ],
    [
      "takes nobody's second factor away",
      'mutation($input: ResetSecondFactorInput!) { resetSecondFactor(input: $input) { userId } }',
      (userId) => ({ input: { userId, currentPassword } }),
    ],
    [
      'makes no key',
      'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }',
      () => ({ input: { name: 'key', permissions: ['identity.audit.read'], currentPassword } }),
    ],
  ];

  test.each(mutations)('%s', async (_name, mutation, variables) => {
    const tenant = await (await panel.world.tenant()).grantPlan('ENTERPRISE');
    const { user } = await member(tenant, mailbox, 'VIEWER');
    const answer = await overtaking(
      `update identity."user" set role = 'ADMIN' where id = $1`,
      [tenant.user.id],
      async () => tenant.graphql(mutation, variables(user.id)),
    );
    expect(refusal(answer)).toEqual({ code: 'FORBIDDEN', reason: 'ROLE_CHANGED' });
  });
});

describe('a challenge', () => {
  async function challenge(account: { email: string; password: string }): Promise<string> {
    const { body } = await panel.world.rest<{ challenge_token: string }>('/api/auth/login', {
      body: account,
    });
    return body.challenge_token;
  }

  test('ends when TOTP is switched off, and a secret that is not in force yet answers none', async () => {
    const tenant = await panel.world.tenant();
    const { secret } = await enableTotp(panel, tenant);
    const token = await challenge(tenant.account);
    const off = { current_password: tenant.account.password, code: await nextCode(panel, secret) };
    expect((await tenant.rest('/api/auth/totp/disable', { body: off })).status).toBe(200);
    const pending = await askForTotp(tenant);
    for (const code of [pending.body.recovery_codes[0]!, codeAt(panel, pending.body.secret)]) {
      const answer = await panel.world.rest('/api/auth/totp/verify', {
        body: { challenge_token: token, code },
      });
      expect(answer.status).toBe(401);
    }
    // Nor does it, were a challenge left over.
    await panel.sql('update identity.login_challenge set used_at = null where user_id = $1', [
      tenant.user.id,
    ]);
    const answer = await panel.world.rest('/api/auth/totp/verify', {
      body: { challenge_token: token, code: pending.body.recovery_codes[0] },
    });
    expect(answer.status).toBe(401);
  });

  test('is no sign-in in the audit trail', async () => {
    const tenant = await panel.world.tenant();
    await enableTotp(panel, tenant);
    await challenge(tenant.account);
    const entry = await entryOf(tenant, 'loginChallenge');
    expect(entry).toMatchObject({ target: tenant.user.id, actorKind: 'user' });
    await settled(panel, tenant.id);
    expect((await trailOf(tenant, { filter: { action: 'login' } })).nodes).toEqual([]);
  });
});
