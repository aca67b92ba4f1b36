#!/usr/bin/env bash
# graphql-sse 2.6.1: its client sends a subscription again that was refused with 400, 401, 403 or 404.
#
# graphql-ws has close codes that its client takes as final. Over Server-Sent Events every answer but 2xx counts as a
# lost connection: with the five attempts of the default a dashboard whose token has expired, or whose document is wrong,
# asks six times, with back-off between, before its error handler is called, and each time draws on its rate limit.
# A server can end that only by answering 200 with an event `next` that carries the errors, and `complete`.
# Seen on 2026-11-30 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact graphql@16.15.0 graphql-sse@2.6.1

cat >try.mjs <<'PROGRAM'
import { createServer } from 'node:http';

import { createClient } from 'graphql-sse';

const json = JSON.stringify({ errors: [{ message: 'no' }] });
const answers = {
  400: [400, 'application/json', json],
  401: [401, 'application/json', json],
  403: [403, 'application/json', json],
  404: [404, 'application/json', json],
  'event next with errors': [200, 'text/event-stream', `event: next\ndata: ${json}\n\nevent: complete\ndata:\n\n`],
};
for (const [name, [status, type, body]] of Object.entries(answers)) {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    response.writeHead(status, { 'content-type': type }).end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}/`;
  const client = createClient({ url, retryAttempts: 3, retry: async () => undefined });
  const told = [];
  await new Promise((resolve) =>
    client.subscribe(
      { query: 'subscription { a }' },
      {
        next: ({ errors }) => told.push(`result with ${errors?.length ?? 0} error`),
        error: (error) => resolve(told.push(error.constructor.name)),
        complete: () => resolve(told.push('complete')),
      },
    ),
  );
  console.log(`${name}: ${requests} requests, ${told.join(', ')}`);
  server.close();
  server.closeAllConnections();
}
process.exit();
PROGRAM

cat >expected <<'OUTPUT'
400: 4 requests, NetworkError
401: 4 requests, NetworkError
403: 4 requests, NetworkError
404: 4 requests, NetworkError
event next with errors: 1 requests, result with 1 error, complete
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
