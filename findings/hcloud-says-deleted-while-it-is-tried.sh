#!/usr/bin/env bash
# hcloud 1.30.3 (Debian 12): `server delete` says "deleted" and ends with 0 as soon as the wish was taken, whatever comes of it.
#
# Each change at Hetzner is an action that runs on and may fail. `server poweroff` waits for its end and fails with it;
# `server delete` does not look at the action that its answer names. A script that goes on from there has a server that
# still runs and costs, or a name and an address that are still taken. Look until the server is gone (404).
# Seen on 2026-11-30. Needs Debian's hcloud-cli. Exits with 1 when the behaviour has changed.
set -euo pipefail
command -v hcloud >/dev/null || { echo "Needs Debian's hcloud-cli." >&2; exit 2; }
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; wait || true; rm -rf "$folder"' EXIT
cd "$folder"

# A stand-in whose actions run, and fail when they are looked at.
cat >api.mjs <<'PROGRAM'
import { appendFileSync } from 'node:fs';
import http from 'node:http';

const action = (status, error = null) => ({
  id: 7,
  command: 'change',
  status,
  progress: 50,
  started: '2026-11-30T20:00:00+00:00',
  finished: error ? '2026-11-30T20:00:01+00:00' : null,
  resources: [{ id: 42, type: 'server' }],
  error,
});
const failed = action('error', { code: 'action_failed', message: 'Action failed' });
http
  .createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://stand-in');
    appendFileSync('asked', `${request.method} ${pathname}\n`);
    response.setHeader('content-type', 'application/json');
    if (pathname === '/v1/actions/7') response.end(JSON.stringify({ action: failed }));
    else if (pathname === '/v1/actions') response.end(JSON.stringify({ actions: [failed] }));
    else if (request.method === 'GET') response.end(JSON.stringify({ server: { id: 42, name: 'web-1', status: 'running' } }));
    else response.writeHead(201).end(JSON.stringify({ action: action('running') }));
  })
  .listen(Number(process.argv[2]), '127.0.0.1');
PROGRAM
port=$((20000 + RANDOM % 20000))
node api.mjs "$port" &
server=$!
timeout 10 bash -c "until (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null; do sleep 0.1; done"
HCLOUD_TOKEN=$(printf 'x%.0s' $(seq 64))
export HCLOUD_TOKEN HCLOUD_ENDPOINT="http://127.0.0.1:$port/v1" HCLOUD_CONFIG="$folder/none.toml"
for change in poweroff delete; do
  : >asked
  if timeout 30 hcloud server $change 42 >told 2>&1; then status=0; else status=$?; fi
  words=$(grep -o 'Server 42 deleted' told || true)
  echo "$change: ends with $status, looked at its action $(grep -c 'GET /v1/actions' asked || true) times${words:+, says: $words}"
done | tee seen
cat >expected <<'OUTPUT'
poweroff: ends with 1, looked at its action 1 times
delete: ends with 0, looked at its action 0 times, says: Server 42 deleted
OUTPUT
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
