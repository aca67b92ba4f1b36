#!/usr/bin/env bash
# @node-rs/argon2 2.2.1: hash() with a signal that has aborted already hashes to the end, and takes the signal's onabort away.
#
# A signal is taken so that nobody pays for a hash whose caller has gone: a hash that waits for a thread is cancelled when
# it aborts. One that has aborted before the call, as a deadline has under load, is not asked: the hash takes its turn, its
# 19 MiB and its time, and resolves, where fetch and Node's own functions reject at once. And it listens by
# signal.onabort = ..., so that whoever had set that on the same signal is never told; addEventListener is. Look at
# signal.throwIfAborted() before each call, and hand over a signal of its own, AbortSignal.any([signal]).
# Seen on 2026-12-01 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact @node-rs/argon2@2.2.1

cat >try.mjs <<'PROGRAM'
import { setTimeout as sleep } from 'node:timers/promises';
import { hash } from '@node-rs/argon2';

const told = (hashed) => hashed.then(() => 'a hash', (error) => error.message);
console.log('aborted before the call:', await told(hash('secret', {}, AbortSignal.abort())));
console.log('the same by sleep():', await told(sleep(1, undefined, { signal: AbortSignal.abort() })));

// More than there are threads, so that the last one waits.
const busy = Array.from({ length: 8 }, () => hash('secret', { memoryCost: 65_536, timeCost: 3 }));
const leaving = new AbortController();
const waiting = told(hash('secret', {}, leaving.signal));
leaving.abort();
console.log('aborted while it waits:', await waiting);
await Promise.all(busy);

for (const its of [(signal) => signal, (signal) => AbortSignal.any([signal])]) {
  const controller = new AbortController();
  const heard = [];
  controller.signal.onabort = () => heard.push('onabort');
  controller.signal.addEventListener('abort', () => heard.push('a listener'));
  await hash('secret', {}, its(controller.signal));
  controller.abort();
  console.log(`told of the abort after ${its}: ${heard.join(', ')}`);
}
PROGRAM

cat >expected <<'OUTPUT'
aborted before the call: a hash
the same by sleep(): The operation was aborted
aborted while it waits: AbortError
told of the abort after (signal) => signal: a listener
told of the abort after (signal) => AbortSignal.any([signal]): onabort, a listener
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
