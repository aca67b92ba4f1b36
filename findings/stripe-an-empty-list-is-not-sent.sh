#!/usr/bin/env bash
# stripe 23.1.0: an empty list, and an empty map, are not sent, so that nothing is emptied.
#
# `default_tax_rates: []` passes the types and reads as "none from now on". The request has no body, Stripe answers 200 with
# the subscription as it was, and the tax is charged on. So does the list of a single item (`items[0][tax_rates]`), and
# `metadata: {}`. Code that sends what a form or a wish holds can add and replace, but never take the last one away. To
# empty something send '' in its place, as Emptyable in the types allows; null goes as that, undefined not at all.
# Seen on 2026-11-30 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact stripe@23.1.0

cat >try.mjs <<'PROGRAM'
import http from 'node:http';
import Stripe from 'stripe';

const server = http.createServer(async (request, response) => {
  let text = '';
  for await (const chunk of request) text += chunk;
  console.log('sent:', decodeURIComponent(text) || 'nothing');
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ id: 'sub_1', object: 'subscription' }));
});
server.listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const stripe = new Stripe('sk_test_example', { host: '127.0.0.1', port: server.address().port, protocol: 'http' });
for (const wish of [
  { default_tax_rates: ['txr_1'] },
  { default_tax_rates: [] },
  { items: [{ id: 'si_1', tax_rates: [] }] },
  { metadata: {} },
  { default_tax_rates: '' },
  { default_tax_rates: null },
]) {
  console.log(JSON.stringify(wish));
  await stripe.subscriptions.update('sub_1', wish);
}
process.exit();
PROGRAM

cat >expected <<'OUTPUT'
{"default_tax_rates":["txr_1"]}
sent: default_tax_rates[0]=txr_1
{"default_tax_rates":[]}
sent: nothing
{"items":[{"id":"si_1","tax_rates":[]}]}
sent: items[0][id]=si_1
{"metadata":{}}
sent: nothing
{"default_tax_rates":""}
sent: default_tax_rates=
{"default_tax_rates":null}
sent: default_tax_rates=
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
