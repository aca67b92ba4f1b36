import { policyFor } from '#gateway/rate-limit/policy.js';
import { RateLimits } from '#gateway/rate-limit/rate-limits.js';
import type { Logger } from '#platform/logger.js';
import type { Metrics } from '#platform/metrics.js';

import type { PanelEnv } from './env.js';
import { connectRedis, measureRedis } from './redis.js';

export interface SharedLimits {
  limits: RateLimits;
  stop: () => Promise<void>;
}

/** Rate limits, shared through Redis when there is one. */
export async function createRateLimits(
  env: PanelEnv,
  logger: Logger,
  metrics: Metrics,
): Promise<SharedLimits> {
  const redis =
    env.REDIS_URL === undefined
      ? undefined
      : await connectRedis(env.REDIS_URL, logger, 'rate limits are counted in this process');
  if (redis) measureRedis(metrics, redis, 'rate limits');
  return {
    limits: new RateLimits(policyFor(env.RATE_LIMIT_PER_MINUTE), redis),
    stop: async () => redis?.disconnect(),
  };
}
