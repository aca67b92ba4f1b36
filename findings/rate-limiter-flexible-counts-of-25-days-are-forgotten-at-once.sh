#!/usr/bin/env bash
# rate-limiter-flexible 11.4.0: RateLimiterMemory forgets each count after a millisecond when its duration is 25 days or more.
#
# It forgets by a timer of Node, which cannot be set to more than 2 147 483 647 ms (24.8 days) and then fires after one. So
# an allowance per month never runs out: each call is the first. With 24 days it works, so shorter tests pass. The same class is
# what usually stands in for a Redis that is away (insuranceLimiter), where nobody looks. A blockDuration of a month ends at
# once in the same way. The only sign is Node's TimeoutOverflowWarning in the log. Months have to be counted elsewhere.
# Seen on 2026-11-30 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact rate-limiter-flexible@11.4.0

cat >try.mjs <<'PROGRAM'
import { setTimeout as sleep } from 'node:timers/promises';
import { RateLimiterMemory } from 'rate-limiter-flexible';

process.removeAllListeners('warning');
for (const days of [1, 24, 25, 30]) {
  const limiter = new RateLimiterMemory({ points: 2, duration: days * 86_400 });
  let allowed = 0;
  for (let call = 0; call < 6; call += 1) {
    await limiter.consume('tenant').then(() => (allowed += 1), () => undefined);
    await sleep(50);
  }
  console.log(`2 in ${days} days: ${allowed} of 6 allowed`);
}
process.exit();
PROGRAM

cat >expected <<'OUTPUT'
2 in 1 days: 2 of 6 allowed
2 in 24 days: 2 of 6 allowed
2 in 25 days: 6 of 6 allowed
2 in 30 days: 6 of 6 allowed
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
