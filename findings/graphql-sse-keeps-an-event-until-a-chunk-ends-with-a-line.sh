#!/usr/bin/env bash
# graphql-sse 2.6.1: its client keeps a whole event back when the same piece of the network has the beginning of the next.
#
# What has arrived is handed out only when a piece ends where a line does. Where TCP, TLS or a proxy cuts is nobody's choice:
# under load, after a stall, or with events of some kilobytes a piece ends in the middle of one, and all those before it
# wait with it, for as long as its rest does; ever so many of them where no piece happens to end with a line. An alert is
# on the machine and its page does not know.
# There is nothing to set. Read the stream by a parser that tells each event when its empty line has come.
# Seen on 2026-12-01 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact graphql@16.15.0 graphql-sse@2.6.1

cat >try.mjs <<'PROGRAM'
import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from 'graphql-sse';

const event = (n) => `event: next\ndata: ${JSON.stringify({ data: { n } })}\n\n`;
const heard = [];
const told = async (what) => {
  await pause(500);
  console.log(`${what}: heard ${heard.join(', ')}`);
};
const server = http.createServer(async (request, response) => {
  response.setHeader('content-type', 'text/event-stream');
  response.write(event(1));
  await told('the first event');
  response.write(event(2) + event(3) + event(4).slice(0, 20));
  await told('two more, and a part of another one');
  response.write(event(4).slice(20) + event(5).slice(0, 20));
  await told('its rest, and a part of the next');
  response.write(event(5).slice(20));
  await told('the rest of that');
  process.exit();
});
server.listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
createClient({ url: `http://127.0.0.1:${server.address().port}/graphql` }).subscribe(
  { query: 'subscription { n }' },
  { next: ({ data }) => heard.push(data.n), error: console.error, complete() {} },
);
PROGRAM

cat >expected <<'OUTPUT'
the first event: heard 1
two more, and a part of another one: heard 1
its rest, and a part of the next: heard 1
the rest of that: heard 1, 2, 3, 4, 5
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
echo 'whole events wait for the end of one that is not there yet'
