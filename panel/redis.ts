import { Redis } from 'ioredis';

import type { Logger } from '#platform/logger.js';
import type { Metrics } from '#platform/metrics.js';

/** Redis may be away, at the start as well as later: commands then fail at once, and what is said of it is done. */
export async function connectRedis(url: string, logger: Logger, whenAway: string): Promise<Redis> {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    commandTimeout: 500,
  });
  let isAway = false;
  redis.on('error', (error: unknown) => {
    if (!isAway) logger.warn({ err: error }, `Redis is away; ${whenAway}`);
    isAway = true;
  });
  redis.on('ready', () => {
    if (isAway) logger.info('Redis is back');
    isAway = false;
  });
  await redis.connect().catch(() => undefined);
  return redis;
}

/** Asked at each scrape, as one that hangs keeps its connections. */
export function measureRedis(metrics: Metrics, redis: Redis, use: 'rate limits' | 'read positions'): void {
  metrics.gauge(
    'panel_redis_up',
    'Whether Redis answers this process, 1 or 0, by what it is used for; absent without REDIS_URL.',
    ['use'],
    async () => {
      const value = await redis.ping().then(
        () => 1,
        () => 0,
      );
      return [{ labels: { use }, value }];
    },
  );
}
