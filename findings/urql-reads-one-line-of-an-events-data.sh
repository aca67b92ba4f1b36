#!/usr/bin/env bash
# @urql/core 6.0.3: of an event stream it knows `data:` on one line and line breaks as \n; with \r\n it hears nothing.
#
# Server-sent events may have their data on several lines and end lines by \r\n, as servers in other languages, and proxies
# that write them anew, do; browsers' EventSource and graphql-sse read either. With fetchSubscriptions urql looks for the
# first line with data: an answer that was printed over several lines is 'Unexpected end of JSON input', and between \r\n\r\n
# it finds no event at all: all is kept until the stream ends, and then it says 'No Content'. A live page stays as empty as
# one where nothing happens.
# Serve events with JSON on one line and \n; hold subscriptions by the client of graphql-sse.
# Seen on 2026-12-01 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact @urql/core@6.0.3 graphql@16.15.0 graphql-sse@2.6.1

cat >try.mjs <<'PROGRAM'
import http from 'node:http';
import { Client, fetchExchange } from '@urql/core';
import { createClient } from 'graphql-sse';

const streams = {
  '/one-line': ['event: next\ndata: {"data":{"n":1}}\n\n', 'event: complete\ndata:\n\n'],
  '/two-lines': ['event: next\ndata: {"data":\ndata: {"n":1}}\n\n', 'event: complete\ndata:\n\n'],
  '/crlf': ['event: next\r\ndata: {"data":{"n":1}}\r\n\r\n', 'event: complete\r\ndata:\r\n\r\n'],
};
const server = http.createServer((request, response) => {
  response.setHeader('content-type', 'text/event-stream');
  const [next, end] = streams[request.url];
  response.write(next);
  setTimeout(() => response.end(end), 500);
});
server.listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));

for (const path of Object.keys(streams)) {
  const url = `http://127.0.0.1:${server.address().port}${path}`;
  const client = new Client({ url, exchanges: [fetchExchange], fetchSubscriptions: true });
  const byUrql = await new Promise((resolve) => {
    client.subscription('subscription { n }', {}).subscribe(({ data, error }) => resolve(data?.n ?? error.message));
  });
  const { value } = await createClient({ url }).iterate({ query: 'subscription { n }' }).next();
  console.log(`${path}: urql ${byUrql}; graphql-sse ${value.data.n}`);
}
process.exit();
PROGRAM

cat >expected <<'OUTPUT'
/one-line: urql 1; graphql-sse 1
/two-lines: urql [Network] Unexpected end of JSON input; graphql-sse 1
/crlf: urql [Network] No Content; graphql-sse 1
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
echo 'of an event on several lines, or with other line breaks, urql makes nothing'
