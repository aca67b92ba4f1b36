#!/usr/bin/env bash
# prom-client 15.1.3: a histogram whose buckets are not in order counts wrongly and says nothing.
#
# An observation is counted in the first bucket of the list that holds it and in all that stand behind it in the list,
# whatever their bounds: with [1, 0.5, 2] a value of 0.7 is also in le="0.5". Buckets put together from settings have
# to be sorted.
# Seen on 2026-11-28 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact prom-client@15.1.3

cat >try.mjs <<'PROGRAM'
import client from 'prom-client';

const register = new client.Registry();
const histogram = new client.Histogram({ name: 'h', help: 'h', buckets: [1, 0.5, 2], registers: [register] });
histogram.observe(0.7);
console.log((await register.metrics()).split('\n').filter((line) => line.startsWith('h_bucket')).join('\n'));
PROGRAM

cat >expected <<'OUTPUT'
h_bucket{le="1"} 1
h_bucket{le="0.5"} 1
h_bucket{le="2"} 1
h_bucket{le="+Inf"} 1
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
