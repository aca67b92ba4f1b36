#!/usr/bin/env bash
# @kubernetes/client-node 2.0.1: a NetworkPolicy made of a parsed manifest loses its `from`, and lets everybody in.
#
# Typed calls send what the client's models name and leave out the rest without a word. In the models `from` is called
# `_from` (as `continue`, `default`, `enum` and `$ref` have names of their own), so a manifest that any YAML or JSON parser
# has read, or a policy copied from what `kubectl get -o json` told, arrives as `ingress: [{}]`: from anywhere. The API
# server has nothing to refuse, and code that sends policies of users' own never fails. The same goes for fields that are
# newer than the client: to read an object, change a number and put it back takes them away.
# Read manifests by the client's own loadYaml, or send the bytes as they are (server-side apply without the models).
# Seen on 2026-11-30 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact @kubernetes/client-node@2.0.1 yaml@2.9.1

cat >try.mjs <<'PROGRAM'
import http from 'node:http';
import { CoreV1Api, KubeConfig, loadYaml, NetworkingV1Api } from '@kubernetes/client-node';
import { parse } from 'yaml';

let sent;
const server = http.createServer(async (request, response) => {
  let text = '';
  for await (const chunk of request) text += chunk;
  sent = JSON.parse(text);
  response.setHeader('content-type', 'application/json');
  response.end(text);
});
server.listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const config = new KubeConfig();
config.loadFromClusterAndUser(
  { name: 'c', server: `http://127.0.0.1:${server.address().port}`, skipTLSVerify: true },
  { name: 'u', token: 'example' },
);
const networking = config.makeApiClient(NetworkingV1Api);

const manifest = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: only-the-shop }
spec:
  podSelector: { matchLabels: { app: database } }
  ingress:
    - from: [{ podSelector: { matchLabels: { app: shop } } }]
`;
for (const [reader, body] of [['yaml', parse(manifest)], ['loadYaml', loadYaml(manifest)]]) {
  await networking.createNamespacedNetworkPolicy({ namespace: 'default', body });
  console.log(`read by ${reader}:`, JSON.stringify(sent.spec.ingress));
}
await config.makeApiClient(CoreV1Api).createNamespacedConfigMap({
  namespace: 'default',
  body: { metadata: { name: 'x' }, data: { a: 'b' }, newInNextVersion: true },
});
console.log('a field that it does not know:', 'newInNextVersion' in sent ? 'sent' : 'not sent');
process.exit();
PROGRAM

cat >expected <<'OUTPUT'
read by yaml: [{}]
read by loadYaml: [{"from":[{"podSelector":{"matchLabels":{"app":"shop"}}}]}]
a field that it does not know: not sent
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
