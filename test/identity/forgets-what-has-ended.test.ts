import { expect, test } from 'vitest';

import { startTestPanel } from '../support/panel.js';
import { codeFor, enrollClient, exchange } from './support/oauth.js';
import { enableTotp } from './support/totp.js';

const hour = 60 * 60_000;
const day = 24 * hour;
const tables = [
  'session',
  'refresh_token',
  'mail_token',
  'login_challenge',
  'oauth_codes',
  'oauth_issued',
  'attempt',
] as const;

test('what has ended is forgotten after a while, and what lives stays', async () => {
  await using panel = await startTestPanel();
  const tenant = await panel.world.tenant();
  const client = await enrollClient(panel, tenant);
  await exchange(panel, await codeFor(tenant, client));
  await enableTotp(panel, tenant);
  await panel.world.login(tenant.account.email, tenant.account.password);
  const counts = async () => {
    const query = tables.map((table) => `(select count(*)::int from identity.${table}) as ${table}`);
    const [row] = await panel.sql<Record<(typeof tables)[number], number>>(`select ${query.join(', ')}`);
    return row;
  };
  const before = await counts();
  for (const table of tables) expect([table, before?.[table]]).not.toEqual([table, 0]);

  // What looks for it sleeps for an hour after each look, of which one may have been under way.
  const countsLater = async () => {
    await panel.clock.advance(hour);
    return counts();
  };
  await panel.clock.advance(10 * day);
  await expect.poll(async () => (await countsLater())?.login_challenge, { timeout: 30_000 }).toBe(0);
  expect(await counts()).toMatchObject({ session: before?.session, oauth_codes: before?.oauth_codes });

  await panel.clock.advance(200 * day);
  const nothing = Object.fromEntries(tables.map((table) => [table, 0]));
  await expect.poll(countsLater, { timeout: 30_000 }).toEqual(nothing);
  expect((await panel.world.login(tenant.account.email, tenant.account.password)).status).toBe(200);

  const request = async (id: string, days: number, delegation: string | null) =>
    panel.sql(
      `insert into identity.delegation_request (tenant_id, id, provider_id, role, expires_in_hours, reason,
         requested_by, requested_at, expires_at, delegation_id)
       values ($1, $2, 'org_x', 'VIEWER', 1, 'A disk', 'usr_x', now(), $3, $4)`,
      [tenant.id, id, new Date(panel.clock.now().getTime() - days * day), delegation],
    );
  // Access that ended this many days ago, and such that goes on.
  const access = async (id: string, expired: number, revoked: number | null) => {
    const at = (days: number | null) =>
      days === null ? null : new Date(panel.clock.now().getTime() - days * day);
    await panel.sql(
      `insert into identity.api_key
         (tenant_id, id, name, prefix, secret_hash, permissions, created_by, created_at, expires_at, revoked_at)
       values ($1, $2, 'A key', 'qcp_', $2, '{}', 'usr_x', now(), $3, $4)`,
      [tenant.id, id, at(expired), at(revoked)],
    );
    await panel.sql(
      `insert into identity.delegation
         (tenant_id, id, provider_id, role, granted_by, granted_at, expires_at, revoked_at)
       values ($1, $2, 'org_x', 'VIEWER', 'usr_x', now(), $3, $4)`,
      [tenant.id, id, at(expired), at(revoked)],
    );
    await request(id, 91, id);
    await panel.sql(
      `insert into identity.oauth_client
         (tenant_id, instance_id, name, hostname, base_url, redirect_uris, registered_at, revoked_at)
       values ($1, $2, 'A node', 'a.example', 'https://a.example', '[]', now(), $3)`,
      [tenant.id, id, at(revoked)],
    );
  };
  await access('expired', 91, null);
  await access('revoked', -9, 91);
  await access('revoked-long-ago', -9, 366);
  await access('just-expired', 80, null);
  await access('just-revoked', -9, 80);
  await access('good', -9, null);
  await request('never-granted', 91, null);
  await request('just-asked', 80, null);
  const left = async (table: string, key = 'id') => {
    const rows = await panel.sql<{ id: string }>(
      `select ${key} as id from identity.${table} where ${key} !~ '^inst_' order by 1`,
    );
    return rows.map(({ id }) => id);
  };
  const stay = ['good', 'just-expired', 'just-revoked'];
  await expect
    .poll(
      async () => {
        await panel.clock.advance(hour);
        return [
          await left('api_key'),
          await left('delegation'),
          // Those go with what they have granted.
          await left('delegation_request'),
          await left('oauth_client', 'instance_id'),
        ];
      },
      { timeout: 30_000 },
    )
    .toEqual([stay, stay, ['just-asked', ...stay].toSorted(), ['expired', ...stay, 'revoked'].toSorted()]);
});
