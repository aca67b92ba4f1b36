import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { PatroniClient } from '#subgraphs/hosting/ha/patroni/client.js';

import { type TestPanel } from '../support/panel.js';
import { hasPatroni, PatroniCluster } from '../support/patroni.js';
import { until as untilSoon } from '../support/world.js';
import { startPatroniPanel } from './support/patroni-panel.js';

/** What Patroni does takes seconds, and each look asks both of its members. */
const until: typeof untilSoon = async (isSo, ...more) =>
  untilSoon(
    async () => {
      if (await isSo()) return true;
      await sleep(400);
      return false;
    },
    ...more,
  );

interface Status {
  mode: string;
  status: string;
  leader: string | null;
  replicationLagMs: number | null;
  lastFailover: string | null;
  reasons: { code: string; message: string }[];
  database: {
    kind: string;
    leader: string | null;
    timeline: number;
    isSynchronous: boolean;
    members: { name: string; role: string; state: string; lagMs: number | null; lagBytes: number | null }[];
  };
}

// In CI missing programs are a failure; elsewhere these are left out, which the report says.
describe.skipIf(!hasPatroni && process.env['CI'] === undefined)('on PostgreSQL kept by Patroni', () => {
  let cluster: PatroniCluster;
  let panel: TestPanel;
  beforeAll(async () => {
    cluster = await PatroniCluster.start();
    panel = await startPatroniPanel(cluster);
  }, 300_000);
  afterAll(async () => {
    await panel?.stop();
    await cluster?.[Symbol.asyncDispose]();
  }, 60_000);

  async function shown(): Promise<Status> {
    const { data, errors } = await panel.world.graphql<{ haStatus: Status }>(
      `{ haStatus { mode status leader replicationLagMs lastFailover reasons { code message }
         database { kind leader timeline isSynchronous members { name role state lagMs lagBytes } } } }`,
      {},
      await panel.world.administrator(),
    );
    if (errors) throw new Error(JSON.stringify(errors));
    return data!.haStatus;
  }
  interface Change {
    from: string | null;
    to: string | null;
    epoch: number;
  }
  /** Until the history of the database is this, newest first, and who leads is seen. */
  async function untilKept(changes: Change[]): Promise<void> {
    let kept: Change[] = [];
    const look = async () => {
      await panel.clock.advance(1_000);
      const { data } = await panel.world.graphql<{ haChanges: (Change & { kind: string })[] }>(
        '{ haChanges { kind from to epoch } }',
        {},
        await panel.world.administrator(),
      );
      kept = data!.haChanges
        .filter(({ kind }) => kind === 'database')
        .map(({ from, to, epoch }) => ({ from, to, epoch }));
      const [seen] = await panel.sql<{ leader: string | null }>(
        'select database_leader as leader from platform.ha_seen',
      );
      return seen?.leader === (await cluster.leader()) && kept.length >= changes.length;
    };
    await until(async () => look().catch(() => false), 'the history', 60_000);
    expect(kept).toEqual(changes);
  }
  const follower = async () => (await shown()).database.members.find(({ role }) => role === 'FOLLOWER')!;
  const failOver = async (body: object) =>
    panel.world.rest<{ error?: string; leader?: string }>('/api/cc/ha/failover', {
      token: await panel.world.administrator(),
      body,
    });

  test('its members, their lag and its mode are told as they are, also where the panel says that it is ready', async () => {
    await until(async () => (await shown()).replicationLagMs !== null, 'a lag to be measured');
    expect(await shown()).toMatchObject({
      mode: 'active-passive',
      status: 'DEGRADED',
      leader: 'panel-1',
      reasons: [{ code: 'NOT_SYNCHRONOUS' }],
      database: {
        kind: 'patroni',
        leader: 'pg-1',
        timeline: 1,
        isSynchronous: false,
        members: [
          { name: 'pg-1', role: 'LEADER', state: 'running', lagMs: null, lagBytes: null },
          { name: 'pg-2', role: 'FOLLOWER', lagMs: expect.any(Number) as unknown },
        ],
      },
    });
    await until(async () => {
      const { status, body } = await panel.world.rest<{ warnings?: string[] }>('/readyz');
      return status === 200 && body.warnings?.[0]?.includes('synchronous_mode is off') === true;
    }, 'the warning');
  }, 120_000);

  test('a candidate that is unknown, lagging or frozen is refused, and nothing changes', async () => {
    const unknown = await failOver({ target: 'pg-9' });
    expect([unknown.status, unknown.body.error]).toEqual([409, 'There is no process or server pg-9']);
    const receiver = await cluster.receiverOf('pg-2');
    process.kill(receiver, 'SIGSTOP');
    try {
      await cluster.sql(
        `create table if not exists ballast (text text);
         insert into ballast select md5(random()::text) from generate_series(1, 60000)`,
        'pg-1',
      );
      // At once: Patroni itself learns of it some seconds later.
      const lagging = await failOver({ target: 'pg-2' });
      expect([lagging.status, lagging.body.error]).toEqual([
        409,
        expect.stringMatching(/^pg-2 is \d+ bytes behind$/),
      ]);
      expect((await failOver({})).status).toBe(409);
    } finally {
      process.kill(receiver, 'SIGCONT');
    }
    expect(await cluster.leader()).toBe('pg-1');
    await until(async () => ((await follower()).lagBytes ?? 1e9) < 1_000_000, 'it to catch up');
  }, 180_000);

  test('a switchover has the other lead: the panel goes on there, and its history tells of it', async () => {
    const tenant = await (await panel.world.tenant()).grantPlan('PRO');
    await tenant.node('before');
    await untilKept([]);
    // Where it takes longer than an answer may, it goes on, and asking again waits for it.
    await until(
      async () => {
        const { status, body } = await failOver({ target: 'pg-2' });
        if (status !== 200 && status !== 503) throw new Error(`the switchover was answered ${status}`);
        return status === 200 && body.leader === 'panel-1';
      },
      'the switchover',
      90_000,
    );
    expect(await cluster.leader()).toBe('pg-2');
    await tenant.node('after');
    const { body } = await tenant.rest<{ name: string }[]>('/api/fleet/instances');
    expect(body.map(({ name }) => name)).toEqual(['before', 'after']);
    await until(
      async () => {
        const { database, lastFailover } = await shown();
        return database.leader === 'pg-2' && database.timeline === 2 && lastFailover !== null;
      },
      'the new leader in the status',
      60_000,
    );
    // Again: who leads goes on.
    expect((await failOver({ target: 'pg-2' })).status).toBe(200);
    expect((await shown()).database.timeline).toBe(2);
    await until(
      async () => (await shown()).database.members.every(({ state }) => /^(running|streaming)$/.test(state)),
      'the one before to follow',
      60_000,
    );
    await untilKept([{ from: 'pg-1', to: 'pg-2', epoch: 2 }]);
    // Chosen where nobody is named.
    await until(async () => (await failOver({})).status === 200, 'the way back', 90_000);
    const { leader, timeline } = (await shown()).database;
    expect(leader).toBe('pg-1');
    // Repeated, as whoever had no answer does, it is the same.
    expect((await failOver({})).status).toBe(200);
    expect((await shown()).database).toMatchObject({ leader, timeline });
    await untilKept([
      { from: 'pg-2', to: 'pg-1', epoch: timeline },
      { from: 'pg-1', to: 'pg-2', epoch: 2 },
    ]);
  }, 300_000);

  test('without its only standby commits wait for nobody, and who is gone is told until it is back', async () => {
    const warnings = async () =>
      (await panel.world.rest<{ warnings?: string[] }>('/readyz')).body.warnings ?? [];
    await cluster.configure({ synchronous_mode: true });
    await until(
      async () => {
        await panel.clock.advance(1_000);
        const { status, database } = await shown();
        const known = await panel.sql('select from platform.database_member');
        // Patroni itself names the standby a moment after the leader has begun to wait for it.
        const isWhole = database.isSynchronous && known.length === 2 && (await warnings()).length === 0;
        return status === 'HEALTHY' && isWhole;
      },
      'commits to wait for a standby',
      90_000,
    );
    const leader = (await cluster.leader())!;
    const standby = leader === 'pg-1' ? 'pg-2' : 'pg-1';
    await cluster.lose(standby);
    try {
      await until(
        // Until Patroni gives it up commits wait for it, those of the panel as well.
        async () =>
          shown().then(
            ({ reasons }) => reasons.some(({ code }) => code === 'NO_SYNCHRONOUS_STANDBY'),
            () => false,
          ),
        'commits to wait for nobody',
        90_000,
      );
      await until(async () => (await shown()).database.members.length === 1, 'Patroni to forget it', 60_000);
      const { status, reasons, database } = await shown();
      expect([status, database.isSynchronous]).toEqual(['DEGRADED', false]);
      expect(reasons).toEqual([
        { code: 'MEMBER_MISSING', message: `The database has 1 of its 2 servers: ${standby} is gone` },
        expect.objectContaining({ code: 'NO_SYNCHRONOUS_STANDBY' }),
      ]);
      await until(async () => (await warnings()).length === 2, 'the warnings');
      expect((await warnings()).join()).toMatch(/1 of its 2 servers.*no standby that commits could wait for/);
    } finally {
      cluster.bring(standby);
    }
    await until(
      async () => (await shown()).status === 'HEALTHY' && (await warnings()).length === 0,
      'all to be well again',
      120_000,
    );
    expect((await shown()).database.isSynchronous).toBe(true);
    await cluster.configure({ pause: true });
    await until(async () => (await shown()).reasons[0]?.code === 'FAILOVER_PAUSED', 'the pause', 60_000);
    await cluster.configure({ pause: null, synchronous_mode: false });
  }, 400_000);

  test('a name and password that Patroni does not take are told so', async () => {
    const wrong = { PATRONI_URLS: cluster.urls({ password: 'wrong' }) };
    const client = new PatroniClient(wrong.PATRONI_URLS.split(','));
    await expect(client.lead('pg-1', 'pg-2')).rejects.toMatchObject({
      extensions: { code: 'UNAVAILABLE', reason: 'PATRONI_CREDENTIALS' },
    });
    const right = new PatroniClient(cluster.urls().split(','));
    await expect(right.lead('pg-7', 'pg-2')).rejects.toMatchObject({
      extensions: { code: 'CONFLICT', reason: 'PATRONI_REFUSED' },
    });
    const nowhere = new PatroniClient(['http://127.0.0.1:9']);
    await expect(nowhere.view()).rejects.toMatchObject({
      extensions: { code: 'UNAVAILABLE', reason: 'PATRONI_AWAY' },
    });
  }, 60_000);
});
