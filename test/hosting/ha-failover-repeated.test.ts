import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startTestPanel, type TestPanel } from '../support/panel.js';
import { hasRedis, TestRedis } from '../support/redis.js';
import { World } from '../support/world.js';
import { PatroniMember } from './support/patroni-member.js';

describe.skipIf(!hasRedis && process.env['CI'] === undefined)('failovers of two processes', () => {
  let patroni: PatroniMember;
  let redis: TestRedis;
  let panel: TestPanel;
  beforeAll(async () => {
    patroni = await PatroniMember.start();
    redis = await TestRedis.start();
    panel = await startTestPanel({ NODE_NAME: 'one', PATRONI_URLS: patroni.url, REDIS_URL: redis.url });
  }, 180_000);
  afterAll(async () => {
    await panel?.stop();
    await redis?.[Symbol.asyncDispose]();
    await patroni?.[Symbol.asyncDispose]();
  });
  const switches = () => patroni.asked.filter((what) => what.startsWith('POST')).length;

  test('one without a target that is repeated, at whichever process, is the same one until a minute after it', async () => {
    const token = await panel.world.administrator();
    const other = await panel.another({ NODE_NAME: 'two' });
    const there = new World(other.url, panel.clock);
    const ask = async (world: World, body: object = {}) =>
      world.rest<{ details?: { target: string } }>('/api/cc/ha/failover', { token, body });
    const leaderOf = () => patroni.members.find(({ role }) => role === 'leader')!.name;

    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    patroni.onSwitch = async () => {
      await finished;
      patroni.lead('pg-2');
    };
    const first = await ask(panel.world);
    expect([first.status, first.body.details]).toEqual([503, { target: 'pg-2' }]);
    // Nothing is asked of Patroni twice, by name or without.
    const meanwhile = await Promise.all([ask(there), ask(there, { target: 'pg-2' })]);
    expect(meanwhile.map(({ status, body }) => [status, body.details])).toEqual(
      meanwhile.map(() => [503, { target: 'pg-2' }]),
    );
    const waiting = ask(there);
    finish();
    expect((await waiting).status).toBe(200);
    expect([(await ask(panel.world)).status, (await ask(there)).status]).toEqual([200, 200]);
    expect([leaderOf(), switches()]).toEqual(['pg-2', 1]);

    patroni.onSwitch = async () => patroni.lead('pg-1');
    await panel.sql(`update platform.ha_switch set asked_at = asked_at - interval '2 minutes',
    over_at = over_at - interval '61 seconds' where kind = 'database'`);
    expect((await ask(there)).status).toBe(200);
    expect([leaderOf(), switches()]).toEqual(['pg-1', 2]);
    expect((await ask(panel.world)).status).toBe(200);
    expect([leaderOf(), switches()]).toEqual(['pg-1', 2]);
    // By name it is another one.
    patroni.onSwitch = async () => patroni.lead('pg-2');
    expect((await ask(panel.world, { target: 'pg-2' })).status).toBe(200);
    expect([leaderOf(), switches()]).toEqual(['pg-2', 3]);
  }, 180_000);
});
