#!/usr/bin/env bash
# json-rules-engine 7.3.1: greaterThan on two numbers in text compares them as text, so "9" is greater than "10".
#
# The operator checks that the fact can be read as a number and then compares the values as they are. With a number on
# one side the comparison is numeric, with text on both it is alphabetical. Rules that come from JSON or YAML and
# facts that come from agents easily have text on both sides.
# Seen on 2026-11-28 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact json-rules-engine@7.3.1

cat >try.mjs <<'PROGRAM'
import { Engine } from 'json-rules-engine';

async function isGreater(fact, value) {
  const engine = new Engine();
  engine.addRule({ conditions: { all: [{ fact: 'n', operator: 'greaterThan', value }] }, event: { type: 'yes' } });
  return (await engine.run({ n: fact })).events.length === 1;
}
console.log('9 > 10:', await isGreater(9, 10));
console.log('"9" > 10:', await isGreater('9', 10));
console.log('"9" > "10":', await isGreater('9', '10'));
PROGRAM

cat >expected <<'OUTPUT'
9 > 10: false
"9" > 10: false
"9" > "10": true
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
