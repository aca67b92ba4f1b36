#!/usr/bin/env bash
# @graphql-inspector/core 8.0.0 and graphql 16.15.0: to take the default value from a required input breaks no client, say both.
#
# A non-nullable argument or input field with a default may be left out; without it every document that leaves it out is
# refused. graphql-inspector calls that dangerous at most, as a default of 20 that becomes 25, and graphql-js' own
# findBreakingChanges says nothing at all of an input field. A build that refuses breaking changes lets the change out, and
# all clients of that field fail at once. To add a required input without a default, which has the same effect, is breaking to
# both. Whoever checks an API by either has to look at this case himself.
# Seen on 2026-11-30 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact graphql@16.15.0 @graphql-inspector/core@8.0.0

cat >try.mjs <<'PROGRAM'
import { diff } from '@graphql-inspector/core';
import { buildSchema, findBreakingChanges, findDangerousChanges, parse, validate } from 'graphql';

const changes = {
  'a required argument': ['type Query { list(first: Int! = 20): Int }', 'type Query { list(first: Int!): Int }', '{ list }'],
  'a required input field': [
    'input Page { first: Int! = 20 } type Query { list(page: Page!): Int }',
    'input Page { first: Int! } type Query { list(page: Page!): Int }',
    '{ list(page: {}) }',
  ],
};
for (const [what, [before, after, document]] of Object.entries(changes)) {
  const [old, current] = [buildSchema(before), buildSchema(after)];
  const isFine = (schema) => (validate(schema, parse(document)).length === 0 ? 'accepted' : 'refused');
  const levels = (await diff(old, current)).map(({ criticality }) => criticality.level);
  const names = (found) => found.map(({ type }) => type).join() || 'none';
  console.log(`${what}: ${document} is ${isFine(old)} before, ${isFine(current)} after`);
  console.log(`  graphql-inspector: ${levels.join()}`);
  console.log(`  graphql-js: breaking ${names(findBreakingChanges(old, current))}, dangerous ${names(findDangerousChanges(old, current))}`);
}
PROGRAM

cat >expected <<'OUTPUT'
a required argument: { list } is accepted before, refused after
  graphql-inspector: DANGEROUS
  graphql-js: breaking none, dangerous ARG_DEFAULT_VALUE_CHANGE
a required input field: { list(page: {}) } is accepted before, refused after
  graphql-inspector: DANGEROUS
  graphql-js: breaking none, dangerous none
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
