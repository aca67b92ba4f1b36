import type { Drawn } from '../../cloud/dialect.js';
import type { World } from '../../cloud/world.js';
import { DigitalOceanError } from '../errors.js';

const hourMs = 3_600_000;
const minuteMs = 60_000;
/** The part of the hour's requests that a minute may have. */
const burstPart = 0.05;

/** When each token's requests of the last hour were made; not kept over a restart. */
const made = new WeakMap<World, Map<string, number[]>>();

/** Draws one request of a token: each counts for an hour, and no minute may have more than a twentieth of them. */
export function draw(world: World, { secret }: { secret: string }): Drawn {
  const limit = world.requestsAnHour;
  const now = world.now();
  const tokens = made.get(world) ?? new Map<string, number[]>();
  made.set(world, tokens);
  const times = (tokens.get(secret) ?? []).filter((at) => at > now - hourMs);
  tokens.set(secret, times);
  const inMinute = times.filter((at) => at > now - minuteMs);
  const isBurst = inMinute.length >= Math.max(1, Math.floor(limit * burstPart));
  const isSpent = times.length >= limit;
  if (!isBurst && !isSpent) times.push(now);
  const headers = {
    'ratelimit-limit': limit,
    'ratelimit-remaining': isBurst ? 0 : limit - times.length,
    'ratelimit-reset': Math.ceil(((times[0] ?? now) + hourMs) / 1000),
  };
  if (!isBurst && !isSpent) return { headers };
  const waitMs = isBurst ? inMinute[0]! + minuteMs - now : 0;
  return {
    headers,
    refusal: new DigitalOceanError(
      'too_many_requests',
      'API Rate limit exceeded.',
      isBurst ? { 'retry-after': String(Math.ceil(waitMs / 1000)) } : {},
    ),
  };
}
