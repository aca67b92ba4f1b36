import { describe, expect, test } from 'vitest';

import { call } from '../support/http.js';
import { Live } from '../support/live.js';
import { startTestPanel } from '../support/panel.js';
import { hasRedis, TestRedis } from '../support/redis.js';
import { until } from '../support/world.js';

test('a second process without Redis refuses to start and says why', async () => {
  await using first = await startTestPanel();
  await expect(first.another()).rejects.toThrow(/set REDIS_URL for all of them/);
});

// Debian's redis-server; .ci/run installs it.
describe.skipIf(!hasRedis)('two identical processes with Redis', () => {
  test('allow exactly one allowance between them', async () => {
    await using redis = await TestRedis.start();
    const limit = 60;
    await using first = await startTestPanel({ REDIS_URL: redis.url, RATE_LIMIT_PER_MINUTE: String(limit) });
    const second = await first.another();
    const tenant = await first.world.tenant();
    const answers = await Promise.all(
      Array.from({ length: limit + 40 }, async (_, index) =>
        call(`${index % 2 === 0 ? first.panel.url : second.url}/api/fleet/summary`, { token: tenant.token }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(limit);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(40);
  });

  test('keep answering, and keep limits of their own, while Redis is away, and share them again after', async () => {
    await using redis = await TestRedis.start();
    await using first = await startTestPanel({ REDIS_URL: redis.url });
    const tenant = await first.world.tenant();
    await redis.kill();
    const away = await tenant.rest('/api/fleet/summary');
    expect({ status: away.status, hasLimit: away.headers.has('x-ratelimit-remaining') }).toEqual({
      status: 200,
      hasLimit: true,
    });
    await redis.restart();
    expect((await tenant.rest('/api/fleet/summary')).status).toBe(200);
  });

  test('bring an event of one to the subscribers of the other, and end a session for both', async () => {
    await using redis = await TestRedis.start();
    await using first = await startTestPanel({ REDIS_URL: redis.url });
    const second = await first.another();
    const tenant = await first.world.tenant();
    await using live = new Live(second.url, tenant.token, 'subscription { instanceChanged { name } }');
    await live.opened();
    await tenant.node('seen-by-both');
    const [event] = await live.received(1);
    expect(event?.data).toEqual({ instanceChanged: { name: 'seen-by-both' } });

    await tenant.rest('/api/auth/logout', { method: 'POST' });
    const me = async () => (await call(`${second.url}/api/auth/me`, { token: tenant.token })).status;
    await until(async () => (await me()) === 401, 'the other process to refuse the session');
  });

  test('one that ends as it should has its leases taken over at once, and not at the next renewal', async () => {
    await using redis = await TestRedis.start();
    await using first = await startTestPanel({ REDIS_URL: redis.url });
    const holders = async () =>
      (
        await first.sql<{ holder: string }>(
          `select distinct split_part(holder, '/', 1) as holder from platform.lease where expires_at > now()`,
        )
      ).map(({ holder }) => holder);
    const pairs = [
      [first.panel, 'second'],
      [await first.another({ NODE_NAME: 'second' }), 'third'],
    ] as const;
    for (const [ending, next] of pairs) {
      if (next === 'third') await first.another({ NODE_NAME: next });
      expect(await holders()).not.toContain(next);
      await ending.stop();
      await until(async () => String(await holders()) === next, `${next} to have all of them`, 1_000);
    }
  });
});
