#!/usr/bin/env bash
# @kubernetes/client-node 2.0.1: what the callback of a Watch throws is told to nobody, and the watch goes on.
#
# It is thrown within the same `try` that passes over lines which are no JSON: it reaches neither `done` nor
# 'uncaughtException', and the log has no word. A controller whose callback fails on one object has lost that event, looks
# healthy, and its next list is minutes or hours away. The informer of the same package does the opposite: there the same
# error is a rejection that nobody handles, which ends the process.
# Catch within the callback, count what failed, and end the watch (`abort()`) to list anew.
# Seen on 2026-12-01 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact @kubernetes/client-node@2.0.1

cat >try.mjs <<'PROGRAM'
import http from 'node:http';
import { KubeConfig, makeInformer, Watch } from '@kubernetes/client-node';

const added = (name) => `${JSON.stringify({ type: 'ADDED', object: { metadata: { name, resourceVersion: '1' } } })}\n`;
const server = http.createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(['a', 'b', 'c'].map(added).join(''));
});
server.listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const config = new KubeConfig();
config.loadFromClusterAndUser(
  { name: 'c', server: `http://127.0.0.1:${server.address().port}`, skipTLSVerify: true },
  { name: 'u', token: 'example' },
);
const told = [];
process.on('uncaughtException', (error, origin) => told.push(`${origin}: ${error.message}`));
const seen = [];
const take = ({ metadata: { name } }) => {
  seen.push(name);
  if (name === 'a') throw new Error('a could not be taken in');
};

const end = await new Promise((resolve) => {
  void new Watch(config).watch('/api/v1/pods', {}, (_type, object) => take(object), resolve);
});
console.log(`watch: saw ${seen.join(' ')}; done was told ${end}; the process was told ${told[0] ?? 'nothing'}`);

seen.length = 0;
const informer = makeInformer(config, '/api/v1/pods', async () => ({ metadata: { resourceVersion: '1' }, items: [] }));
informer.on('error', (error) => told.push(`error: ${error.message}`));
informer.on('add', take);
await informer.start();
await new Promise((resolve) => setTimeout(resolve, 500));
console.log(`informer: saw ${seen.join(' ')}; the process was told ${told[0] ?? 'nothing'}`);
process.exit();
PROGRAM

cat >expected <<'OUTPUT'
watch: saw a b c; done was told null; the process was told nothing
informer: saw a b c; the process was told unhandledRejection: a could not be taken in
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
echo 'what the callback of a watch throws is lost, and what that of an informer throws ends the process'
