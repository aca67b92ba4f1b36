#!/usr/bin/env bash
# rate-limiter-flexible 11.4.0 on ioredis 6.0.0 (redis-server 7.0.15): a duration of less than a second never ends in Redis.
#
# RateLimiterMemory takes parts of seconds. RateLimiterRedis rounds them down: 0.5 becomes 0, and 0 means that a count is
# kept for ever. Once the points are used up the key is shut out until somebody deletes it, with msBeforeNext -1, of which
# a Retry-After header makes a moment that has passed. So a burst of so many in half a second works in tests and in one
# process, and shuts customers out for good from the day on which Redis is added. 1.5 is one second there. Whole seconds are
# the same in both.
# Seen on 2026-12-01 with Node 24.21.0. Needs Debian's redis-server. Exits with 1 when the behaviour has changed.
set -euo pipefail
command -v redis-server >/dev/null || { echo "Needs Debian's redis-server." >&2; exit 2; }
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; wait; rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact rate-limiter-flexible@11.4.0 ioredis@6.0.0
export PORT=$((20000 + RANDOM % 20000))
redis-server --port "$PORT" --bind 127.0.0.1 --save '' --appendonly no >server.log &
server=$!
timeout 60 sh -c 'until grep -q "Ready to accept connections" server.log; do sleep 0.1; done'

cat >try.mjs <<'PROGRAM'
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';

const redis = new Redis(Number(process.env.PORT));
for (const duration of [0.5, 1]) {
  const options = { points: 2, duration, keyPrefix: `per-${duration}` };
  for (const limiter of [new RateLimiterMemory(options), new RateLimiterRedis({ ...options, storeClient: redis })]) {
    const told = async () => limiter.consume('tenant').then(() => 'allowed', ({ msBeforeNext }) => `refused, ${msBeforeNext < 0 ? msBeforeNext : 'some'} ms`);
    const calls = [await told(), await told(), await told()];
    await sleep(5_000);
    console.log(`${limiter.constructor.name}, 2 in ${duration} s: ${calls.join('; ')}; five seconds later ${await told()}`);
  }
}
redis.disconnect();
PROGRAM

cat >expected <<'OUTPUT'
RateLimiterMemory, 2 in 0.5 s: allowed; allowed; refused, some ms; five seconds later allowed
RateLimiterRedis, 2 in 0.5 s: allowed; allowed; refused, -1 ms; five seconds later refused, -1 ms
RateLimiterMemory, 2 in 1 s: allowed; allowed; refused, some ms; five seconds later allowed
RateLimiterRedis, 2 in 1 s: allowed; allowed; refused, some ms; five seconds later allowed
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
