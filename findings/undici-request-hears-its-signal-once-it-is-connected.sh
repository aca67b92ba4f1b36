#!/usr/bin/env bash
# undici 8.12.4: request() looks at its signal only once there is a connection; fetch() of the same package at once.
#
# A deadline by AbortSignal.timeout() looks like one for the whole call. While the name is resolved, the connection made or
# TLS agreed on, request() stays pending however long that takes, and rejects afterwards with the error of a signal that
# fired long ago. It is the hosts that are in trouble that take long there, up to the connect timeout of 10 s: a webhook
# with a deadline of 1 s holds its job for 10. Whoever calls request() races it with the signal.
# Seen on 2026-11-30 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact undici@8.12.4 node@24.21.0
export PATH="$folder/node_modules/.bin:$PATH"

cat >try.mjs <<'PROGRAM'
import { createServer } from 'node:http';
import { Agent, fetch, request } from 'undici';

let requests = 0;
const server = createServer((_, answer) => {
  requests += 1;
  answer.end('ok');
});
server.listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
for (const [name, ask] of Object.entries({ fetch, request })) {
  let isResolved = false;
  const lookup = (_, options, callback) =>
    setTimeout(() => {
      isResolved = true;
      callback(null, [{ address: '127.0.0.1', family: 4 }]);
    }, 3000);
  const dispatcher = new Agent({ connect: { lookup } });
  const signal = AbortSignal.timeout(200);
  const error = await ask(`http://panel.test:${server.address().port}/`, { dispatcher, signal }).then(
    () => undefined,
    (reason) => reason,
  );
  const when = isResolved ? 'after the name was resolved' : 'before the name was resolved';
  console.log(`${name}: ${error?.name} ${when}, ${requests} requests arrived`);
  await dispatcher.destroy();
}
process.exit();
PROGRAM

cat >expected <<'OUTPUT'
fetch: TimeoutError before the name was resolved, 0 requests arrived
request: TimeoutError after the name was resolved, 0 requests arrived
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
