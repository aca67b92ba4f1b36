import type { Redis } from 'ioredis';
import {
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
  type RateLimiterAbstract,
} from 'rate-limiter-flexible';

import type { RateLimitPolicy } from './policy.js';

const windowSeconds = 60;

/** What is left of an allowance, as the `X-RateLimit-*` headers tell it. */
export interface Allowance {
  limit: number;
  remaining: number;
  /** Unix seconds at which the allowance is whole again. */
  resetAt: number;
  /** Whether this request went over. */
  isExceeded: boolean;
}

export type AllowanceKind = 'tenant' | 'address' | 'sensitive' | 'session' | 'api-key' | 'webhook' | 'node';

/**
 * Counts requests in fixed windows of a minute, in Redis when there is one, so that identical processes share the
 * counts exactly. While Redis is away each process counts by itself: limits get laxer, and nobody is locked out.
 */
export class RateLimits {
  private readonly limiters: Readonly<Record<AllowanceKind, { limiter: RateLimiterAbstract; limit: number }>>;

  constructor(policy: RateLimitPolicy, redis?: Redis) {
    const limiter = (kind: AllowanceKind, limit: number) => {
      const options = { keyPrefix: `panel:rate:${kind}`, points: limit, duration: windowSeconds };
      const memory = new RateLimiterMemory(options);
      return {
        limit,
        limiter: redis
          ? new RateLimiterRedis({
              ...options,
              storeClient: redis,
              insuranceLimiter: memory,
              rejectIfRedisNotReady: true,
            })
          : memory,
      };
    };
    this.limiters = {
      tenant: limiter('tenant', policy.perMinute),
      address: limiter('address', policy.perMinute),
      sensitive: limiter('sensitive', policy.sensitivePerMinute),
      session: limiter('session', policy.sessionsPerMinute),
      'api-key': limiter('api-key', policy.sensitivePerMinute),
      webhook: limiter('webhook', policy.perMinute),
      node: limiter('node', policy.nodePerMinute),
    };
  }

  async draw(kind: AllowanceKind, key: string, points = 1): Promise<Allowance> {
    const { limiter, limit } = this.limiters[kind];
    const { state, isExceeded } = await limiter.consume(key, points).then(
      (state) => ({ state, isExceeded: false }),
      (refused: unknown) => {
        if (refused instanceof RateLimiterRes) return { state: refused, isExceeded: true };
        throw refused;
      },
    );
    return {
      limit,
      remaining: Math.max(0, state.remainingPoints),
      resetAt: Math.ceil((Date.now() + state.msBeforeNext) / 1000),
      isExceeded,
    };
  }
}
