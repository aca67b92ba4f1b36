#!/usr/bin/env bash
# @apollo/query-planner 2.14.4: a field whose alias is the name of its type's key is answered with the key, as soon as the
# same operation needs a second subgraph.
#
# `{ server { id: label } }` is the label. With a field of another subgraph beside it the planner adds the key `id` for
# its own use, finds that something is called `id` already, and one of the two is left out of the fetch: the client gets the
# key where it asked for the label, without an error. A page that worked shows ids for names from the day on which a
# field moves to another subgraph. `__typename` as an alias fares the same. With @include on the aliased field both are fetched
# under one name, which the subgraph refuses. A gateway has to refuse or rename such aliases before it plans.
# Seen on 2026-11-30 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact graphql@16.15.0 @apollo/composition@2.14.4 @apollo/gateway@2.14.4 @apollo/subgraph@2.14.4 @apollo/server@5.5.1

cat >try.mjs <<'PROGRAM'
import { composeServices } from '@apollo/composition';
import { ApolloGateway, LocalGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';

const head = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])\n';
const areas = {
  fleet: {
    typeDefs: parse(head + 'type Query { server: Server } type Server @key(fields: "id") { id: ID! label: String }'),
    resolvers: { Query: { server: () => ({ id: 'srv_1', label: 'Mail' }) } },
  },
  billing: {
    typeDefs: parse(head + 'type Server @key(fields: "id") { id: ID! price: Int }'),
    resolvers: { Server: { __resolveReference: (reference) => ({ ...reference, price: 5 }) } },
  },
};
const services = Object.entries(areas).map(([name, { typeDefs }]) => ({ name, url: `http://${name}`, typeDefs }));
const { supergraphSdl } = composeServices(services);
const gateway = new ApolloGateway({
  supergraphSdl,
  buildService: ({ name }) => new LocalGraphQLDataSource(buildSubgraphSchema([areas[name]])),
});
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const server = new ApolloServer({ gateway, logger: quiet, includeStacktraceInErrorResponses: false });
await server.start();
for (const query of [
  '{ server { id: label } }',
  '{ server { id: label price } }',
  '{ server { __typename: label price } }',
  '{ server { name: label price } }',
]) {
  const { body } = await server.executeOperation({ query });
  console.log(query, '->', JSON.stringify(body.singleResult.data.server), body.singleResult.errors?.length ?? 0, 'errors');
}
await server.stop();
process.exit();
PROGRAM

cat >expected <<'OUTPUT'
{ server { id: label } } -> {"id":"Mail"} 0 errors
{ server { id: label price } } -> {"id":"srv_1","price":5} 0 errors
{ server { __typename: label price } } -> {"__typename":"Server","price":5} 0 errors
{ server { name: label price } } -> {"name":"Mail","price":5} 0 errors
OUTPUT

APOLLO_TELEMETRY_DISABLED=true timeout 100 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
