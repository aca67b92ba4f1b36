#!/usr/bin/env bash
# @kubernetes/client-node 2.0.1: each call makes a connection of its own, with a whole TLS handshake.
#
# For each request it makes a new agent with the cluster's certificates, and with it a pool of connections that nobody
# else uses. Calls one after the other through one client never share a connection or a TLS session, and each connection
# stays open for some seconds after its only answer. A panel that looks at many clusters every few seconds spends its and
# their CPU on handshakes. Make the client by createConfiguration with a middleware that sets one's own dispatcher, or speak
# HTTP oneself.
# Seen on 2026-11-30 with Node 24.21.0. Needs openssl. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact @kubernetes/client-node@2.0.1 undici@8.12.4
command -v openssl >/dev/null || { echo 'Needs openssl.' >&2; exit 2; }
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout key.pem -out cert.pem \
  -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null

cat >try.mjs <<'PROGRAM'
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { CoreV1Api, createConfiguration, KubeConfig, ServerConfiguration } from '@kubernetes/client-node';
import { Agent, fetch } from 'undici';

const cert = readFileSync('cert.pem');
let handshakes = 0;
let resumed = 0;
const server = https.createServer({ key: readFileSync('key.pem'), cert }, (request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'x' } }));
});
server.on('secureConnection', (socket) => {
  handshakes += 1;
  if (socket.isSessionReused()) resumed += 1;
});
server.listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const address = `https://127.0.0.1:${server.address().port}`;

const config = new KubeConfig();
config.loadFromClusterAndUser(
  { name: 'c', server: address, caData: cert.toString('base64') },
  { name: 'u', token: 'example' },
);
const client = config.makeApiClient(CoreV1Api);
for (let call = 0; call < 20; call += 1) await client.readNamespace({ name: 'x' });
console.log(`20 calls by the client: ${handshakes} handshakes, of which ${resumed} resumed a session`);

handshakes = 0;
const dispatcher = new Agent({ connect: { ca: cert }, connections: 1 });
for (let call = 0; call < 20; call += 1)
  await (await fetch(`${address}/api/v1/namespaces/x`, { dispatcher })).json();
console.log(`20 calls by one agent: ${handshakes} handshake`);

handshakes = 0;
const shared = {
  pre: async (context) => {
    context.setDispatcher(dispatcher);
    return context;
  },
  post: async (response) => response,
};
const sharing = new CoreV1Api(
  createConfiguration({
    baseServer: new ServerConfiguration(address, {}),
    authMethods: { default: config },
    promiseMiddleware: [shared],
  }),
);
for (let call = 0; call < 20; call += 1) await sharing.readNamespace({ name: 'x' });
console.log(`20 calls by the client with that agent: ${handshakes} handshakes`);
process.exit();
PROGRAM

cat >expected <<'OUTPUT'
20 calls by the client: 20 handshakes, of which 0 resumed a session
20 calls by one agent: 1 handshake
20 calls by the client with that agent: 0 handshakes
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
