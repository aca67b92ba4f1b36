#!/usr/bin/env bash
# json-rules-engine 7.3.1: on a text both contains and doesNotContain fail; they are for arrays only.
#
# A rule and its opposite are both false and nothing is said, so a policy written either way never matches a text
# fact.
# Seen on 2026-11-28 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact json-rules-engine@7.3.1

cat >try.mjs <<'PROGRAM'
import { Engine } from 'json-rules-engine';

for (const fact of ['abc', ['a', 'b', 'c']]) {
  for (const operator of ['contains', 'doesNotContain']) {
    const engine = new Engine();
    engine.addRule({ conditions: { all: [{ fact: 'f', operator, value: 'a' }] }, event: { type: 'yes' } });
    console.log(JSON.stringify(fact), operator, (await engine.run({ f: fact })).events.length === 1);
  }
}
PROGRAM

cat >expected <<'OUTPUT'
"abc" contains false
"abc" doesNotContain false
["a","b","c"] contains true
["a","b","c"] doesNotContain false
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
