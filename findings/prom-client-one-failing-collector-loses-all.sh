#!/usr/bin/env bash
# prom-client 15.1.3: one collect function that fails makes the whole scrape fail.
#
# A gauge that asks a database when it is scraped takes all other metrics with it while the database is away, which is
# when they are wanted. Each collector has to catch its own failures.
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
new client.Gauge({ name: 'fine', help: 'f', registers: [register] }).set(1);
new client.Gauge({
  name: 'failing',
  help: 'f',
  registers: [register],
  collect() {
    throw new Error('the database is away');
  },
});
console.log(await register.metrics().then((text) => text.includes('fine 1'), (error) => `no metrics: ${error.message}`));
PROGRAM

cat >expected <<'OUTPUT'
no metrics: the database is away
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
