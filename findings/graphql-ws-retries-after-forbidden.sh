#!/usr/bin/env bash
# graphql-ws 6.4.2: the close code 4403 (Forbidden) is retried, 4401 (Unauthorized), 4400 and 4429 are final.
#
# A server that refuses a caller for good and says 4403 has it back for as many tries as the client has; GraphiQL,
# whose client retries for ever, spins. The list of final codes is in the client and cannot be guessed from the
# numbers: 4404 and 4408 are retried too.
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

for (const code of [4400, 4401, 4403, 4404, 4429]) {
  let connections = 0;
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'graphql-transport-ws' });
  server.on('connection', (socket) => {
    connections += 1;
    socket.close(code);
  });
  await new Promise((resolve) => server.once('listening', resolve));
  const client = createClient({
    url: `ws://127.0.0.1:${server.address().port}`,
    webSocketImpl: WebSocket,
    retryAttempts: 2,
    retryWait: async () => undefined,
    shouldRetry: () => true,
  });
  await new Promise((resolve) =>
    client.subscribe({ query: 'subscription { a }' }, { next() {}, error: resolve, complete: resolve }),
  );
  console.log(code, `${connections - 1} retries`);
  server.close();
}
process.exit();
PROGRAM

cat >expected <<'OUTPUT'
4400 0 retries
4401 0 retries
4403 2 retries
4404 2 retries
4429 0 retries
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
