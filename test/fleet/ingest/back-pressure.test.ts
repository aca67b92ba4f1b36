import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { startTestPanel, type TestPanel } from '../../support/panel.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel({ HEARTBEAT_QUEUE: '2' });
});
afterAll(async () => panel.stop());

test('a beat that finds the queue full is sent away with Retry-After, and those that waited are stored', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  await node.beat();
  const blocker = new pg.Client({ connectionString: panel.database.ownerUrl });
  await blocker.connect();
  await blocker.query('begin');
  await blocker.query('select from fleet.instance where id = $1 for update', [node.id]);

  const flushing = node.beat({ cpu_percent: 1 });
  await expect
    .poll(async () => {
      const rows = await panel.sql(
        `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%with updated%' and datname = current_database()`,
      );
      return rows.length;
    })
    .toBe(1);
  const waiting = [node.beat({ cpu_percent: 2 }), node.beat({ cpu_percent: 3 })];
  // Each is in the queue once its request has come as far as the panel goes with it.
  await new Promise((resolve) => setTimeout(resolve, 300));
  const refused = await node.beat({ cpu_percent: 4 });
  expect([refused.status, refused.headers.get('retry-after'), refused.body]).toEqual([
    503,
    '5',
    { error: 'More beats are waiting than the panel can store soon' },
  ]);

  await blocker.query('commit');
  await blocker.end();
  const answers = await Promise.all([flushing, ...waiting]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  const [row] = await panel.sql<{ cpu_percent: number }>(
    'select cpu_percent from fleet.instance where id = $1',
    [node.id],
  );
  expect([2, 3]).toContain(row!.cpu_percent);
});
