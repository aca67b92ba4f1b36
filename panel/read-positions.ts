import { ReadPositions, type SharedPositions } from '#platform/database/read-positions.js';
import type { Logger } from '#platform/logger.js';
import type { Metrics } from '#platform/metrics.js';

import type { PanelEnv } from './env.js';
import { connectRedis, measureRedis } from './redis.js';

// Two writes of a tenant may be told of in either order.
const raiseScript = `
  local known = redis.call('get', KEYS[1])
  if known and known > ARGV[1] then return 0 end
  redis.call('set', KEYS[1], ARGV[1], 'EX', ARGV[2])
  return 1`;
const keyOf = (tenantId: string) => `panel:position:${tenantId}`;
const unsaidKeyOf = (tenantId: string) => `panel:unsaid:${tenantId}`;

/** How far tenants have written, where there are replicas to read from: shared through Redis when there is one. */
export async function createReadPositions(
  env: PanelEnv,
  logger: Logger,
  metrics: Metrics,
): Promise<{ positions: ReadPositions | undefined; stop: () => Promise<void> }> {
  if (env.DATABASE_READ_URL === undefined) return { positions: undefined, stop: async () => undefined };
  if (env.REDIS_URL === undefined) {
    logger.warn(
      'DATABASE_READ_URL is set without REDIS_URL: how far tenants have written is known to this process alone. ' +
        'That is all there is to know where no other process serves clients; with several, each may show what is ' +
        'seconds older than what another has acknowledged',
    );
    return { positions: new ReadPositions(logger), stop: async () => undefined };
  }
  const redis = await connectRedis(env.REDIS_URL, logger, 'tenants are read from the primary');
  measureRedis(metrics, redis, 'read positions');
  const shared: SharedPositions = {
    get: async (tenantId) => {
      const [position, unsaid] = await redis.mget(keyOf(tenantId), unsaidKeyOf(tenantId));
      return { position: position ?? undefined, isUnsaid: unsaid !== null };
    },
    raise: async (tenantId, position, seconds) => {
      await redis.eval(raiseScript, 1, keyOf(tenantId), position, seconds);
    },
    raiseUnsaid: async (tenantId, seconds) => {
      await redis.set(unsaidKeyOf(tenantId), '1', 'EX', seconds);
    },
    onBack: (listener) => void redis.on('ready', listener),
  };
  return { positions: new ReadPositions(logger, shared), stop: async () => redis.disconnect() };
}
