#!/usr/bin/env bash
# @urql/core 6.0.3: with the variables {"rack":"B1"} the document cache answers what was asked for {"rack":"AR"}.
#
# An operation is known by a number, in which a letter counts 33 times the one after it: texts in which one letter is the
# next and the following one is 33 less (AR and B1, Az and BY; ar and c0, with twice as much) have the same, whatever stands
# around them. Neither the cache nor the client compares anything else, so the second query gets the answer of the first,
# without a request and without a word, and two that are under way at once are one. Codes of racks, rooms and sites, parts
# of host names and ids in base 32 are such texts: a console then shows, and acts on, another server than was chosen.
# Compare `operation.variables` of a result with what was asked for, and ask once more by `network-only` where they differ.
# Seen on 2026-12-01 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact @urql/core@6.0.3 graphql@16.15.0

cat >try.mjs <<'PROGRAM'
import http from 'node:http';
import { cacheExchange, Client, fetchExchange } from '@urql/core';

let requests = 0;
const server = http.createServer(async (request, response) => {
  let text = '';
  for await (const chunk of request) text += chunk;
  requests += 1;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ data: { server: { __typename: 'Server', ...JSON.parse(text).variables } } }));
});
server.listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const client = new Client({
  url: `http://127.0.0.1:${server.address().port}/graphql`,
  preferGetMethod: false,
  exchanges: [cacheExchange, fetchExchange],
});
const query = 'query ($rack: String!) { server(rack: $rack) { rack } }';
for (const rack of ['AR', 'B1', 'B2', 'site-ar', 'site-c0']) {
  const { data } = await client.query(query, { rack });
  console.log(`asked for ${rack}: ${data.server.rack}, after ${requests} requests`);
}
const { data } = await client.query(query, { rack: 'B1' }, { requestPolicy: 'network-only' });
console.log(`asked the server for B1: ${data.server.rack}, after ${requests} requests`);
process.exit();
PROGRAM

cat >expected <<'OUTPUT'
asked for AR: AR, after 1 requests
asked for B1: AR, after 1 requests
asked for B2: B2, after 2 requests
asked for site-ar: site-ar, after 3 requests
asked for site-c0: site-ar, after 3 requests
asked the server for B1: B1, after 4 requests
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
echo 'one query is answered with what another asked for'
