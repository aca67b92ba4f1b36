import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { until } from '../../support/world.js';
import { tenantWithTrailIn } from './support.js';

let panel: TestPanel;
let other: pg.Client;
beforeAll(async () => {
  panel = await startTestPanel({ RATE_LIMIT_PER_MINUTE: '1000' });
  other = new pg.Client({ connectionString: panel.database.ownerUrl });
  await other.connect();
});
afterAll(async () => {
  await other.end();
  await panel.stop();
});

/** Statements that wait to read entries. */
async function readers(): Promise<number> {
  const rows = await panel.sql(
    `select from pg_locks where relation = 'identity.audit_event'::regclass and mode = 'AccessShareLock' and not granted`,
  );
  return rows.length;
}

test('a trail that many ask about at once is read once, by one connection, and others are served meanwhile', async () => {
  const [tenant, stranger] = [await tenantWithTrailIn(panel), await panel.world.tenant()];
  const names = Array.from({ length: 20 }, (_, index) => `check${index}`);
  await other.query('begin');
  await other.query('lock table identity.audit_event in access exclusive mode');
  const verified = Promise.all(
    ['once', 'again'].map(async () =>
      tenant.graphql(`{ ${names.map((name) => `${name}: verifyAudit { isIntact checked }`).join(' ')} }`),
    ),
  );
  try {
    await until(async () => (await readers()) > 0, 'the trail to be read', 10_000);
    expect(dataOf(await stranger.graphql('{ me { id } }'))).toEqual({ me: { id: stranger.user.id } });
    expect(await readers()).toBe(1);
  } finally {
    await other.query('commit');
  }
  const intact = Object.fromEntries(names.map((name) => [name, { isIntact: true, checked: 8 }]));
  expect((await verified).map(dataOf)).toEqual([intact, intact]);
});

test('two exports of a trail go on at once; another is told to come later, until one has ended', async () => {
  const tenant = await tenantWithTrailIn(panel);
  await other.query('begin');
  await other.query('lock table identity.audit_event in access exclusive mode');
  const exported = ['one', 'two'].map(async () => tenant.rest('/audit/export'));
  try {
    await until(async () => (await readers()) === 2, 'two exports to read', 10_000);
    const third = await tenant.rest('/audit/export');
    expect([third.status, third.headers.get('retry-after')]).toEqual([429, '30']);
  } finally {
    await other.query('commit');
  }
  expect((await Promise.all(exported)).map(({ status }) => status)).toEqual([200, 200]);
  await until(async () => (await tenant.rest('/audit/export')).status === 200, 'a place to be free');
});
