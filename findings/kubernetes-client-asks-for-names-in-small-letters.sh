#!/usr/bin/env bash
# @kubernetes/client-node 2.0.1: KubernetesObjectApi asks for names in small letters, so `delete` of ClusterRole "Ops" takes
# away "ops".
#
# It puts the path together and then makes the whole of it lower case, names included. Most names in Kubernetes have no
# capitals, but roles and their bindings may, and "Ops" and "ops" are two of them: read, replace, patch and delete reach
# the other one, and answer as if all were well. `create` keeps the name, so that what it made is not found any more.
# The typed API (RbacAuthorizationV1Api) asks for the name as it is.
# Seen on 2026-11-30 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact @kubernetes/client-node@2.0.1

cat >try.mjs <<'PROGRAM'
import http from 'node:http';
import { KubeConfig, KubernetesObjectApi, RbacAuthorizationV1Api } from '@kubernetes/client-node';

const group = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole' };
const resources = [{ name: 'clusterroles', kind: 'ClusterRole', namespaced: false, singularName: '', verbs: [] }];
const root = `/apis/${group.apiVersion}`;
const roles = new Set(['Ops', 'ops']);
const server = http.createServer(async (request, response) => {
  response.setHeader('content-type', 'application/json');
  const [, name] = request.url.split(`${root}/clusterroles/`);
  if (request.method === 'POST') {
    let text = '';
    for await (const chunk of request) text += chunk;
    roles.add(JSON.parse(text).metadata.name);
    response.end(text);
    return;
  }
  if (name === undefined) {
    response.end(JSON.stringify({ kind: 'APIResourceList', groupVersion: group.apiVersion, resources }));
    return;
  }
  if (request.method === 'DELETE') roles.delete(name);
  response.end(JSON.stringify({ ...group, metadata: { name } }));
});
server.listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const config = new KubeConfig();
config.loadFromClusterAndUser(
  { name: 'c', server: `http://127.0.0.1:${server.address().port}`, skipTLSVerify: true },
  { name: 'u', token: 'example' },
);
const objects = KubernetesObjectApi.makeApiClient(config);
const role = () => ({ ...group, metadata: { name: 'Ops' } });

console.log('read by the general API:', (await objects.read(role())).metadata.name);
const { metadata } = await config.makeApiClient(RbacAuthorizationV1Api).readClusterRole({ name: 'Ops' });
console.log('read by the typed API:', metadata.name);
await objects.delete(role());
console.log('left after Ops was deleted by the general API:', [...roles].join(' '));
await objects.create({ ...group, metadata: { name: 'Viewer' } });
console.log('after it has created Viewer:', [...roles].join(' '));
process.exit();
PROGRAM

cat >expected <<'OUTPUT'
read by the general API: ops
read by the typed API: Ops
left after Ops was deleted by the general API: Ops
after it has created Viewer: Ops Viewer
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
