#!/usr/bin/env bash
# @urql/core 6.0.3: in a subscription the error of one event is told with each one after it, and an event without data shows
# the data of the one before.
#
# One would take an event for a result of its own, as graphql-ws and graphql-sse do. urql lays each over the one before, as
# it does with the parts of a deferred answer, whether they come by its own event streams (fetchSubscriptions) or by a
# socket (subscriptionExchange): errors stay until others come in their place, `data: null` leaves what was there. A
# dashboard whose server failed once shows the failure for as long as it stays open, beside rows that are right, and what
# the server says is gone stands there as it was.
# Hold subscriptions by the client of graphql-ws or graphql-sse themselves; or tell failures in the data.
# Seen on 2026-12-01 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact @urql/core@6.0.3 graphql@16.15.0

cat >try.mjs <<'PROGRAM'
import http from 'node:http';
import { Client, fetchExchange, subscriptionExchange } from '@urql/core';

const events = [
  { data: { node: 'healthy' } },
  { data: null, errors: [{ message: 'It could not be read' }] },
  { data: { node: 'degraded' } },
  { data: { node: 'healthy' } },
];
const server = http.createServer((request, response) => {
  response.setHeader('content-type', 'text/event-stream');
  for (const event of events) response.write(`event: next\ndata: ${JSON.stringify(event)}\n\n`);
  response.end('event: complete\ndata:\n\n');
});
server.listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const url = `http://127.0.0.1:${server.address().port}/graphql`;

const overSocket = subscriptionExchange({
  forwardSubscription: () => ({
    subscribe(sink) {
      for (const event of events) sink.next(event);
      sink.complete();
      return { unsubscribe() {} };
    },
  }),
});
const clients = {
  'event stream': new Client({ url, exchanges: [fetchExchange], fetchSubscriptions: true }),
  socket: new Client({ url, exchanges: [overSocket] }),
};
for (const [way, client] of Object.entries(clients)) {
  await new Promise((resolve) => {
    client.subscription('subscription { node }', {}).subscribe(({ data, error, hasNext }) => {
      if (!hasNext) return resolve();
      console.log(`${way}: ${data.node}, ${error?.graphQLErrors[0].message ?? 'no error'}`);
    });
  });
}
process.exit();
PROGRAM

cat >expected <<'OUTPUT'
event stream: healthy, no error
event stream: healthy, It could not be read
event stream: degraded, It could not be read
event stream: healthy, It could not be read
socket: healthy, no error
socket: healthy, It could not be read
socket: degraded, It could not be read
socket: healthy, It could not be read
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
echo 'the error of one event is told with all that come after it'
