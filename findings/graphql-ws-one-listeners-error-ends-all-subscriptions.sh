#!/usr/bin/env bash
# graphql-ws 6.4.2: an error thrown by one subscription's `next` closes the client's socket, and ends all of its subscriptions.
#
# One would look for it as an uncaught error, or at that subscription's own end. The client takes it for an answer of the
# server that cannot be read: it closes with 4004, and the error handlers of all other subscriptions get the error of a
# listener that is none of theirs. With a `shouldRetry` that always says yes the socket is opened again and everything is
# subscribed to once more, at each such event. In a dashboard one widget that meets an unexpected null stops or restarts
# every other one, and the server sees a client that complains of its answers. `next` has to catch its own errors.
# Seen on 2026-11-30 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact graphql@16.15.0 graphql-ws@6.4.2 ws@8.23.0

cat >try.mjs <<'PROGRAM'
import { buildSchema } from 'graphql';
import { createClient } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocket, WebSocketServer } from 'ws';

const schema = buildSchema('type Query { a: Int } type Subscription { beats: Int alerts: Int }');
const each = (name, ms) =>
  async function* () {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, ms));
      yield { [name]: 1 };
    }
  };
const roots = { subscription: { beats: each('beats', 50), alerts: each('alerts', 300) } };
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
useServer({ schema, roots }, server);
await new Promise((resolve) => server.once('listening', resolve));

for (const [how, options] of Object.entries({ 'by default': {}, 'always retried': { shouldRetry: () => true } })) {
  let connections = 0;
  let heard = 0;
  let again;
  const codes = new Set();
  const wasAgain = new Promise((resolve) => (again = resolve));
  const client = createClient({
    url: `ws://127.0.0.1:${server.address().port}`,
    webSocketImpl: WebSocket,
    on: { connected: () => (connections += 1) === 2 && again('go on, on another connection'), closed: ({ code }) => codes.add(code) },
    ...options,
  });
  const end = new Promise((resolve) =>
    client.subscribe(
      { query: 'subscription { beats }' },
      { next: () => (heard += 1), error: resolve, complete: () => resolve('complete') },
    ),
  );
  client.subscribe(
    { query: 'subscription { alerts }' },
    { next: ({ data }) => data.alerts.severity.toUpperCase(), error() {}, complete() {} },
  );
  const seen = await Promise.race([end, wasAgain, new Promise((resolve) => setTimeout(resolve, 15_000, 'go on'))]);
  await new Promise((resolve) => setTimeout(resolve, 500));
  console.log(`${how}: beats ${heard > 0 ? 'were heard and ' : ''}${seen instanceof Error ? `end with "${seen.message}"` : seen}`);
  console.log('closed with', ...codes);
  void client.dispose();
}
process.exit();
PROGRAM

cat >expected <<'OUTPUT'
by default: beats were heard and end with "Cannot read properties of undefined (reading 'toUpperCase')"
closed with 4004
always retried: beats were heard and go on, on another connection
closed with 4004
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
