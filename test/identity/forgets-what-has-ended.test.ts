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
});
