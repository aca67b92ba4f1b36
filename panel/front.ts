import { Redis } from 'ioredis';

import { Admission } from '#gateway/rate-limit/admission.js';
import { policyFor } from '#gateway/rate-limit/policy.js';
import { RateLimits } from '#gateway/rate-limit/rate-limits.js';
import type { TokenVerifier } from '#platform/auth/tokens.js';
import type { Logger } from '#platform/logger.js';
import type { ExchangeContext } from '#platform/request-context.js';

import type { PanelEnv } from './env.js';

/** What every process that serves clients has in front of its gateway. */
export interface Front {
  admission: Admission;
  stop(): Promise<void>;
}

/** Rate limits, shared through Redis when there is one. */
export async function createFront(
  env: PanelEnv,
  verifier: TokenVerifier,
  exchange: ExchangeContext,
  logger: Logger,
): Promise<Front> {
  const redis = env.REDIS_URL === undefined ? undefined : await connect(env.REDIS_URL, logger);
  return {
    admission: new Admission(new RateLimits(policyFor(env.RATE_LIMIT_PER_MINUTE), redis), verifier, exchange),
    stop: async () => redis?.disconnect(),
  };
}

/** Redis may be away, at the start as well as later: commands then fail at once, and limits are counted here. */
async function connect(url: string, logger: Logger): Promise<Redis> {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    commandTimeout: 500,
  });
  let isAway = false;
  redis.on('error', (error: unknown) => {
    if (!isAway) logger.warn({ err: error }, 'Redis is away; rate limits are counted in this process');
    isAway = true;
  });
  redis.on('ready', () => {
    if (isAway) logger.info('Redis is back');
    isAway = false;
  });
  await redis.connect().catch(() => undefined);
  return redis;
}
