#!/usr/bin/env bash
# graphql-ws 6.4.2: a socket that the server closes with 1000 is opened again without end; retryAttempts does not count.
#
# RFC 6455 calls 1000 a normal closure, which sounds like the code for a server that is done with a client. With a
# subscription under way the client takes it for a reason to connect at once, past retryAttempts and without waiting:
# a server that says 1000 to all of its clients gets all of them back at once, again and again. 1001 and 1012 are
# retried with back-off and counted.
# Seen on 2026-11-28 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact graphql@16.15.0 graphql-ws@6.4.2 ws@8.23.0

cat >try.mjs <<'PROGRAM'
import { createClient } from 'graphql-ws';
import { WebSocket, WebSocketServer } from 'ws';

for (const code of [1001, 1000]) {
  let connections = 0;
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'graphql-transport-ws' });
  const enough = new Promise((resolve) =>
    server.on('connection', (socket) => {
      connections += 1;
      if (connections === 20) resolve();
      socket.close(code);
    }),
  );
  await new Promise((resolve) => server.once('listening', resolve));
  const client = createClient({
    url: `ws://127.0.0.1:${server.address().port}`,
    webSocketImpl: WebSocket,
    retryAttempts: 2,
    retryWait: async () => undefined,
    shouldRetry: () => true,
  });
  const ended = new Promise((resolve) =>
    client.subscribe({ query: 'subscription { a }' }, { next() {}, error: resolve, complete: resolve }),
  );
  await Promise.race([ended, enough]);
  console.log(code, connections === 20 ? 'more than 2 retries' : `${connections - 1} retries`);
  void client.dispose();
  server.close();
}
process.exit();
PROGRAM

cat >expected <<'OUTPUT'
1001 2 retries
1000 more than 2 retries
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
