import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { HeldLock } from '../support/held-lock.js';
import { Live } from '../support/live.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';

let panel: TestPanel;
let owner: pg.Client;
beforeAll(async () => {
  panel = await startTestPanel();
  owner = new pg.Client({ connectionString: panel.database.ownerUrl });
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await panel.stop();
});

// The last event of the tenant's instances once more, as a change: nothing is read or written for it.
const again = `insert into fleet.outbox
     (event_id, tenant_id, topic, entity_id, entity_version, payload, caused_by, occurred_at)
   select 'evt_' || gen_random_uuid(), tenant_id, 'fleet.instance.changed', entity_id, entity_version, payload, 'test',
     occurred_at
   from fleet.outbox where topic in ('fleet.instance.enrolled', 'fleet.instance.changed') and tenant_id = $1
   order by xid desc, id desc limit 1`;

/** An event while nobody can read instances. It is of an older transaction, or it would wait for the lock. */
async function eventInAnOutage(tenantId: string): Promise<void> {
  await using event = await HeldLock.by(panel, again, [tenantId]);
  await owner.query('begin');
  await owner.query('lock table fleet.instance in access exclusive mode');
  await event.release();
}

test('an event that nobody can read while the database gives no answer is told once it does, and not as an error', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node('edge');
  await using live = new Live(panel.panel.url, tenant.token, 'subscription { instanceChanged { id name } }');
  await live.opened();

  // Longer than a request waits for a lock: the first try to read the instance fails as it does in an outage.
  await eventInAnOutage(tenant.id);
  await owner.query(`select pg_sleep(5)`);
  await owner.query('commit');

  await live.received(1);
  expect(live.results).toEqual([
    {
      data: { instanceChanged: { id: node.id, name: 'edge' } },
      extensions: { cursor: expect.any(String) as string },
    },
  ]);
}, 60_000);
