#!/usr/bin/env bash
# typeid-js 1.2.0: a prefix with a digit (`k8s`) throws when an id is made, not when a program starts.
#
# The specification has a-z and _ only. `typeidUnboxed('')` answers the suffix alone, to which any prefix may be put.
# Seen on 2026-11-29 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact typeid-js@1.2.0

cat >try.mjs <<'PROGRAM'
import { typeidUnboxed } from 'typeid-js';

let outcome = 'made';
try {
  typeidUnboxed('k8s');
} catch (error) {
  outcome = error.name;
}
console.log(outcome, `k8s_${typeidUnboxed('')}`);
process.exit(outcome === 'InvalidPrefixError' ? 0 : 1);
PROGRAM
node try.mjs
