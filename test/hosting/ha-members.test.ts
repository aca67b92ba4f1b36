import { afterAll, beforeAll, expect, test } from 'vitest';

import { Live } from '../support/live.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until } from '../support/world.js';
import { PatroniMember } from './support/patroni-member.js';

let patroni: PatroniMember;
let panel: TestPanel;
beforeAll(async () => {
  patroni = await PatroniMember.start();
  panel = await startTestPanel({ NODE_NAME: 'one', PATRONI_URLS: patroni.url });
});
afterAll(async () => {
  await panel.stop();
  await patroni[Symbol.asyncDispose]();
});

const leader = (name: string, timeline = 1) => ({ name, role: 'leader', state: 'running', timeline });
const standby = (name: string, role = 'replica') => ({ name, role, state: 'streaming', lag: 0, timeline: 1 });

interface Shown {
  haStatus: {
    status: string;
    reasons: { code: string; message: string }[];
    database: { leader: string | null; isSynchronous: boolean | null };
  };
  haChanges: { kind: string; from: string | null; to: string | null; epoch: number }[];
}
async function shown(): Promise<Shown> {
  const { data } = await panel.world.graphql<Shown>(
    '{ haStatus { status reasons { code message } database { leader isSynchronous } } haChanges { kind from to epoch } }',
    {},
    await panel.world.administrator(),
  );
  return data!;
}
const reasons = async () =>
  (await shown()).haStatus.reasons.map(({ code, message }) => `${code}: ${message}`);
const warnings = async () => (await panel.world.rest<{ warnings?: string[] }>('/readyz')).body.warnings ?? [];
const known = async () =>
  (await panel.sql<{ name: string }>('select name from platform.database_member order by 1')).map(
    ({ name }) => name,
  );
/** Lets background steps run until it is so. */
const inTime = async (isSo: () => Promise<boolean>, what: string) =>
  until(
    async () => {
      await panel.clock.advance(1_000);
      return isSo();
    },
    what,
    60_000,
  );

test('a server that Patroni has forgotten is missed by its name until another one is in its place, and whoever watches is told', async () => {
  patroni.members = [leader('pg-1'), standby('pg-2'), standby('pg-3')];
  await inTime(async () => (await known()).length === 3, 'the servers to be remembered');
  expect((await reasons()).filter((reason) => reason.startsWith('MEMBER_MISSING'))).toEqual([]);
  await using live = new Live(
    panel.panel.url,
    await panel.world.administrator(),
    'subscription { haChanged { reasons { code } } }',
  );
  await live.opened();
  patroni.members = [leader('pg-1'), standby('pg-2')];
  await inTime(
    async () => live.results.some((result) => JSON.stringify(result).includes('MEMBER_MISSING')),
    'it to be told',
  );
  expect(await reasons()).toContain('MEMBER_MISSING: The database has 2 of its 3 servers: pg-3 is gone');
  expect((await shown()).haStatus.status).toBe('DEGRADED');

  patroni.members = [leader('pg-1'), standby('pg-2'), standby('pg-4')];
  await inTime(async () => (await known()).join() === 'pg-1,pg-2,pg-4', 'the other in its place');
  expect((await reasons()).filter((reason) => reason.startsWith('MEMBER_MISSING'))).toEqual([]);
}, 120_000);

test("a new leader's timeline, which Patroni names later than the leader, is told as well", async () => {
  patroni.members = [leader('pg-1'), standby('pg-2'), standby('pg-4')];
  await until(async () => (await shown()).haStatus.database.leader === 'pg-1', 'Patroni to be looked at');
  await using live = new Live(
    panel.panel.url,
    await panel.world.administrator(),
    'subscription { haChanged { database { leader timeline } } }',
  );
  await live.opened();
  for (const timeline of [1, 2]) {
    patroni.members = [leader('pg-4', timeline), standby('pg-2'), standby('pg-1')];
    await inTime(
      async () => JSON.stringify(live.results).includes(`{"leader":"pg-4","timeline":${timeline}}`),
      `timeline ${timeline} to be told`,
    );
  }
  expect((await shown()).haStatus.database.leader).toBe('pg-4');
  patroni.members = [leader('pg-1'), standby('pg-2'), standby('pg-4')];
}, 120_000);

test('a server that was not seen for a week is missed no more, unless PATRONI_URLS has more than there are', async () => {
  patroni.members = [leader('pg-1')];
  await until(async () => (await reasons()).join().includes('pg-2, pg-4 are gone'), 'them to be missed');
  await panel.sql(`update platform.database_member set seen_at = now() - interval '7 days 1 second'`);
  await until(async () => !(await reasons()).join().includes('MEMBER_MISSING'), 'them to be forgotten');
  await inTime(async () => (await known()).length === 1, 'them to be deleted');
  expect(await known()).toEqual(['pg-1']);

  await using three = await startTestPanel({
    NODE_NAME: 'three',
    PATRONI_URLS: `${patroni.url},http://127.0.0.1:9,http://127.0.0.1:10`,
  });
  await until(async () => {
    const { body } = await three.world.rest<{ warnings?: string[] }>('/readyz');
    return body.warnings?.includes('The database has 1 of its 3 servers') === true;
  }, 'the warning');
}, 120_000);

test('a mode that no standby fulfils is no synchronous replication, and a pause is no failover: both are told', async () => {
  patroni.members = [leader('pg-1')];
  patroni.config = { synchronous_mode: true };
  patroni.isPaused = true;
  await until(async () => (await warnings()).length === 2, 'the warnings');
  expect(await warnings()).toEqual([
    expect.stringMatching(/^Patroni is paused/),
    expect.stringMatching(/no standby that commits could wait for/),
  ]);
  const { haStatus } = await shown();
  expect(haStatus.database.isSynchronous).toBe(false);
  expect(haStatus.reasons.map(({ code }) => code)).toEqual(['FAILOVER_PAUSED', 'NO_SYNCHRONOUS_STANDBY']);
  patroni.isPaused = false;
  await until(async () => (await warnings()).length === 1, 'the end of the pause');
}, 120_000);

test("while Patroni still names the leader of before, history waits for the one of the server's timeline", async () => {
  patroni.members = [leader('pg-1'), standby('pg-2')];
  await inTime(
    async () => (await panel.sql(`select from platform.ha_seen where database_leader = 'pg-1'`)).length === 1,
    'the leader to be seen',
  );
  // As if the server had been promoted since: what it says itself is the later timeline.
  patroni.members = [leader('pg-0', 0), standby('pg-2')];
  await until(async () => (await shown()).haStatus.database.leader === 'pg-0', 'Patroni to be looked at');
  await panel.sql(
    `update platform.ha_seen set timeline = 0, database_leader = 'pg-0', fingerprint = 'before'`,
  );
  await inTime(
    async () =>
      (await panel.sql(`select from platform.ha_seen where fingerprint like '%without%' and timeline = 0`))
        .length === 1,
    'a first look',
  );
  expect((await shown()).haChanges.filter(({ kind }) => kind === 'database')).toEqual([]);
  patroni.members = [leader('pg-2'), standby('pg-0')];
  await inTime(
    async () => (await shown()).haChanges.some(({ kind }) => kind === 'database'),
    'the change to be kept',
  );
  expect((await shown()).haChanges.filter(({ kind }) => kind === 'database')).toEqual([
    { kind: 'database', from: 'pg-0', to: 'pg-2', epoch: 1 },
  ]);
}, 120_000);
