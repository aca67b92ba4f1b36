#!/usr/bin/env bash
# @kubernetes/client-node 2.0.1: a Watch on which nothing happens for 30 seconds is ended by the client, as an error.
#
# An API server keeps a watch for minutes, and of most resources nothing changes for longer than that. The client takes half
# a minute of silence for a connection that is dead: `done` gets a TimeoutError, and whoever takes an error of `done` for
# what it says lists everything anew, tells somebody, or waits longer each time, on each quiet cluster twice a minute. A
# bookmark (`allowWatchBookmarks`) is a sign of life, but comes about once a minute. How long it waits is a private field.
# Take a TimeoutError for the usual end and watch on from the last version at once; or read the answer by a client of
# one's own, and notice dead connections by TCP keep-alive.
# Seen on 2026-12-01 with Node 24.21.0; takes 35 s. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact @kubernetes/client-node@2.0.1

cat >try.mjs <<'PROGRAM'
import http from 'node:http';
import { KubeConfig, Watch } from '@kubernetes/client-node';

const server = http.createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  response.write(`${JSON.stringify({ type: 'ADDED', object: { metadata: { name: 'a', resourceVersion: '1' } } })}\n`);
});
server.listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const config = new KubeConfig();
config.loadFromClusterAndUser(
  { name: 'c', server: `http://127.0.0.1:${server.address().port}`, skipTLSVerify: true },
  { name: 'u', token: 'example' },
);
const began = Date.now();
const end = await new Promise((resolve) => {
  void new Watch(config).watch('/api/v1/pods', { timeoutSeconds: 600 }, (type) => console.log(type), resolve);
  setTimeout(() => resolve({ name: 'nothing' }), 45_000);
});
console.log(`asked for 600 s, ended after ${Math.round((Date.now() - began) / 10_000)}0 s with ${end?.name ?? end}`);
process.exit();
PROGRAM

cat >expected <<'OUTPUT'
ADDED
asked for 600 s, ended after 30 s with TimeoutError
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
echo 'a watch ends after half a minute in which nothing happened'
