#!/usr/bin/env bash
# ioredis 6.0.0 on redis-server 7.0.15: after blockingTimeout or commandTimeout the next item of a list is given to nobody.
#
# Both end the wait of the caller, and the server is told nothing: BLPOP goes on there. blockingTimeout even answers null, as
# Redis does when its own time is over, so the program asks again, as it should. The item that is pushed next answers the
# command that nobody waits for any more: it is gone from the list, and no error comes. A queue that is quiet for longer
# than the timeout loses one item each time. A timeout among the command's own arguments that is shorter than both loses
# none; whoever sets one of the client's has to disconnect when it fires.
# Seen on 2026-12-01 with Node 24.21.0. Needs Debian's redis-server. Exits with 1 when the behaviour has changed.
set -euo pipefail
command -v redis-server >/dev/null || { echo "Needs Debian's redis-server." >&2; exit 2; }
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; wait; rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact ioredis@6.0.0
export PORT=$((20000 + RANDOM % 20000))
redis-server --port "$PORT" --bind 127.0.0.1 --save '' --appendonly no >server.log &
server=$!
timeout 60 sh -c 'until grep -q "Ready to accept connections" server.log; do sleep 0.1; done'

cat >try.mjs <<'PROGRAM'
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';

const port = Number(process.env.PORT);
const other = new Redis(port);
const told = (answer) => answer.then((item) => JSON.stringify(item), (error) => error.message);

for (const [options, seconds] of [[{ blockingTimeout: 500 }, 0], [{ commandTimeout: 500 }, 0], [{ blockingTimeout: 500 }, 0.2]]) {
  const worker = new Redis({ port, ...options });
  console.log(`${JSON.stringify(options)}, BLPOP jobs ${seconds}`);
  console.log('  while there is nothing:', await told(worker.blpop('jobs', seconds)));
  await other.rpush('jobs', 'first');
  await sleep(200);
  await other.rpush('jobs', 'second');
  console.log('  asked again:           ', await told(worker.blpop('jobs', seconds)));
  console.log('  left in the list:      ', await other.lrange('jobs', 0, -1));
  worker.disconnect();
  await other.del('jobs');
}
other.disconnect();
PROGRAM

cat >expected <<'OUTPUT'
{"blockingTimeout":500}, BLPOP jobs 0
  while there is nothing: null
  asked again:            ["jobs","second"]
  left in the list:       []
{"commandTimeout":500}, BLPOP jobs 0
  while there is nothing: Command timed out
  asked again:            ["jobs","second"]
  left in the list:       []
{"blockingTimeout":500}, BLPOP jobs 0.2
  while there is nothing: null
  asked again:            ["jobs","first"]
  left in the list:       [ 'second' ]
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
