#!/usr/bin/env bash
# stripe 23.1.0: unit_amount_decimal is an object that + turns into text: 12.5 + 1 is "12.51".
#
# Since the decimal fields became Decimal objects, arithmetic on them does not fail but concatenates, and
# structuredClone (worker threads, some caches) leaves an object without its methods. JSON has it as text. Use its own
# add and mul.
# Seen on 2026-11-28 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact stripe@23.1.0

cat >try.mjs <<'PROGRAM'
import http from 'node:http';
import Stripe from 'stripe';

const server = http.createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ id: 'price_1', object: 'price', unit_amount_decimal: '12.5' }));
});
server.listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const stripe = new Stripe('sk_test_example', { host: '127.0.0.1', port: server.address().port, protocol: 'http' });
const { unit_amount_decimal: amount } = await stripe.prices.retrieve('price_1');
console.log(typeof amount, JSON.stringify(amount), JSON.stringify(amount + 1), JSON.stringify(amount * 2));
console.log('a clone:', String(structuredClone(amount)));
process.exit();
PROGRAM

cat >expected <<'OUTPUT'
object "12.5" "12.51" 25
a clone: [object Object]
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
