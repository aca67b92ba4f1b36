#!/usr/bin/env bash
# stripe 23.1.0: retrieve with an empty id asks for the list, and with undefined for an object named "undefined".
#
# The SDK puts the id into the path without looking at it. customers.retrieve('') is GET /v1/customers/, which Stripe
# answers with a list and status 200: code that reads .id of it goes on with undefined. Check ids before the call.
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
  console.log(request.method, request.url);
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ object: 'list', data: [], has_more: false }));
});
server.listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const stripe = new Stripe('sk_test_example', { host: '127.0.0.1', port: server.address().port, protocol: 'http' });
const empty = await stripe.customers.retrieve('');
console.log('object:', empty.object, 'id:', empty.id);
await stripe.customers.retrieve(undefined);
process.exit();
PROGRAM

cat >expected <<'OUTPUT'
GET /v1/customers/
object: list id: undefined
GET /v1/customers/undefined
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
