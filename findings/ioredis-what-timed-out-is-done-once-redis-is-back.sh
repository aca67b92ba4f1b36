#!/usr/bin/env bash
# ioredis 6.0.0 on redis-server 7.0.15: a command refused with "Command timed out" is sent all the same when Redis is back.
#
# While there is no connection commands lie in the offline queue. commandTimeout refuses the one that waits there, and
# leaves it there: with the next connection it is sent, after the caller has given up, told somebody, or done it in another
# way. So a lock that could not be had is held by whoever does not know of it, and what was counted elsewhere meanwhile is
# counted twice. maxRetriesPerRequest empties that queue, but only after as many retries. With enableOfflineQueue: false
# commands fail at once while there is no connection, and nothing is left behind.
# Seen on 2026-12-01 with Node 24.21.0. Needs Debian's redis-server. Exits with 1 when the behaviour has changed.
set -euo pipefail
command -v redis-server >/dev/null || { echo "Needs Debian's redis-server." >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact ioredis@6.0.0
export PORT=$((20000 + RANDOM % 20000))

cat >try.mjs <<'PROGRAM'
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';

const port = Number(process.env.PORT);
const told = (answer) => answer.then((value) => String(value), (error) => error.message);
const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];

for (const options of [{ commandTimeout: 300 }, { commandTimeout: 300, enableOfflineQueue: false }]) {
  const client = new Redis({ port, retryStrategy: () => 200, ...options });
  client.on('error', () => undefined);
  console.log(JSON.stringify(options));
  console.log('  Redis is away, SET lock me NX:', await told(client.set('lock', 'me', 'NX')));
  const server = spawn('redis-server', settings, { stdio: 'ignore' });
  if (client.status !== 'ready') await new Promise((resolve) => client.once('ready', resolve));
  const other = new Redis(port, { retryStrategy: () => 200 });
  other.on('error', () => undefined);
  // What waits is sent when the connection is ready; the other one asks for it on the same one, behind it.
  await told(client.ping());
  console.log('  Redis is back, the lock is of:', await told(other.get('lock')));
  client.disconnect();
  other.disconnect();
  server.kill();
  await once(server, 'exit');
}
PROGRAM

cat >expected <<'OUTPUT'
{"commandTimeout":300}
  Redis is away, SET lock me NX: Command timed out
  Redis is back, the lock is of: me
{"commandTimeout":300,"enableOfflineQueue":false}
  Redis is away, SET lock me NX: Stream isn't writeable and enableOfflineQueue options is false
  Redis is back, the lock is of: null
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
