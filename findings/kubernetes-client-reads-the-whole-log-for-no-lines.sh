#!/usr/bin/env bash
# @kubernetes/client-node 2.0.1: Log.log with `tailLines: 0` reads the whole log.
#
# It is how one follows from now on (`kubectl logs --tail=0 --follow`). The client leaves a number out that is 0, and the
# API server takes its absence for all there is: a page that opens the live log of a pod is sent days of it first, from
# the node's disk and through the API server, and shows what is old as if it happened now. `limitBytes: 0` and
# `sinceSeconds: 0` are left out as well. readNamespacedPodLog of the same package sends the 0, but cannot stream.
# Ask for `tailLines: 1`, or for the log's address by a client of one's own.
# Seen on 2026-12-01 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact @kubernetes/client-node@2.0.1

cat >try.mjs <<'PROGRAM'
import http from 'node:http';
import { PassThrough } from 'node:stream';
import { CoreV1Api, KubeConfig, Log } from '@kubernetes/client-node';

let asked;
const server = http.createServer((request, response) => {
  asked = new URL(request.url, 'http://cluster').searchParams.get('tailLines');
  response.setHeader('content-type', 'text/plain');
  response.end('a line\n');
});
server.listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const config = new KubeConfig();
config.loadFromClusterAndUser(
  { name: 'c', server: `http://127.0.0.1:${server.address().port}`, skipTLSVerify: true },
  { name: 'u', token: 'example' },
);
for (const tailLines of [1, 0]) {
  await new Log(config).log('shop', 'web-1', 'web', new PassThrough().resume(), { follow: true, tailLines });
  console.log(`Log.log, tailLines ${tailLines}: asks for ${asked ?? 'all'}`);
}
await config.makeApiClient(CoreV1Api).readNamespacedPodLog({ namespace: 'shop', name: 'web-1', tailLines: 0 });
console.log(`readNamespacedPodLog, tailLines 0: asks for ${asked ?? 'all'}`);
process.exit();
PROGRAM

cat >expected <<'OUTPUT'
Log.log, tailLines 1: asks for 1
Log.log, tailLines 0: asks for all
readNamespacedPodLog, tailLines 0: asks for 0
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
echo 'who asks for no lines of a log is sent all of it'
