import 'reflect-metadata';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { expirySweep } from '#subgraphs/fleet/instance/instance-expiry.job.js';

import { openFleetStore, runSweep, type FleetStore } from '../../support/fleet-store.js';
import { nobodySuspended } from '../support/suspension.js';

let store: FleetStore;
beforeAll(async () => {
  store = await openFleetStore();
});
afterAll(async () => store.stop());

const start = Date.parse('2026-03-10T20:00:00Z');

/** Instances that were seen at `start`, `count` of them, to be offline at `offlineAt`. */
async function seed(tenantId: string, count: number, offlineAt: number): Promise<void> {
  await store.sql(
    `insert into fleet.instance (tenant_id, id, name, hostname, version, base_url, redirect_uris, tags, enrolled_at,
       enrollment_token_id, last_seen_at, offline_at, announced_status)
     select $1, 'inst_' || $1 || n, 'n', 'h', '1', 'b', '{}', '{}', now(), 'etk', $2, $3, 'HEALTHY'
     from generate_series(1, $4::int) n`,
    [tenantId, new Date(start), new Date(offlineAt), count],
  );
}

test('when a whole fleet falls silent all of it is announced at once, but for what is being written', async () => {
  await seed('org_silent', 5_000, start + 90_000);
  const blocker = new pg.Client({ connectionString: store.test.ownerUrl });
  await blocker.connect();
  await blocker.query('begin');
  await blocker.query(`select from fleet.instance where id = 'inst_org_silent1' for update`);
  expect(await runSweep(store.database, expirySweep(nobodySuspended), new Date(start + 90_000))).toHaveLength(
    4_999,
  );
  await blocker.query('rollback');
  await blocker.end();
  expect(await runSweep(store.database, expirySweep(nobodySuspended), new Date(start + 92_000))).toHaveLength(
    1,
  );
});

test('those that are due are not hidden behind any number of others that are due in a moment', async () => {
  await seed('org_soon', 4_500, start + 100_000);
  // They have beaten late and are looked for since long before.
  await store.sql(`update fleet.instance set offline_at = $1 where tenant_id = 'org_soon'`, [
    new Date(start + 203_000),
  ]);
  await seed('org_due', 10, start + 199_000);
  expect(
    await runSweep(store.database, expirySweep(nobodySuspended), new Date(start + 200_000)),
  ).toHaveLength(10);
  expect(
    await runSweep(store.database, expirySweep(nobodySuspended), new Date(start + 203_000)),
  ).toHaveLength(4_500);
});
