#!/usr/bin/env bash
# graphql 16.15.0: the second mutation of a document begins while resolvers of the first are still at work, when one of the
# first's non-nullable fields rejects. When it throws instead, the second waits.
#
# Mutations of one document run one after the other, says the specification. A rejected promise of a non-nullable field ends
# its object at once, and what runs beside it is left to itself: it goes on during the next mutation and behind the
# answer, where its transaction is over and its loaders, signal and audit entry are closed. An error that is thrown without
# a promise waits for what runs beside it, so it shows only with resolvers that are async, as nearly all are. Whoever
# opens a transaction for a mutation has to wait for all that was begun in it, not for the answer.
# Seen on 2026-11-30 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact graphql@16.15.0

cat >try.mjs <<'PROGRAM'
import { setTimeout as sleep } from 'node:timers/promises';
import { buildSchema, graphql } from 'graphql';

const schema = buildSchema(`
  type Query { ok: Boolean }
  type Server { history: Int price: Int! }
  type Mutation { stop: Server restart: Boolean }
`);
const fails = {
  throws: () => {
    throw new Error('no price');
  },
  rejects: async () => {
    throw new Error('no price');
  },
};
for (const [how, price] of Object.entries(fails)) {
  const told = [];
  let isRead;
  const wasRead = new Promise((resolve) => (isRead = resolve));
  const history = async () => {
    await sleep(200);
    told.push('history of stop is read');
    isRead();
    return 1;
  };
  const rootValue = {
    stop: () => ({ history, price }),
    restart: () => {
      told.push('restart begins');
      return true;
    },
  };
  const { data, errors } = await graphql({ schema, rootValue, source: 'mutation { stop { history price } restart }' });
  told.push('answer');
  await wasRead;
  console.log(`price ${how}: ${told.join(', ')}; ${JSON.stringify(data)}, ${errors.length} error`);
}
PROGRAM

cat >expected <<'OUTPUT'
price throws: history of stop is read, restart begins, answer; {"stop":null,"restart":true}, 1 error
price rejects: restart begins, answer, history of stop is read; {"stop":null,"restart":true}, 1 error
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
