#!/usr/bin/env bash
# @mikro-orm/core 7.2.1: a bundled program that calls `MikroORM.init` loads the ORM a second time, from node_modules.
#
# `init` imports each of the packages @mikro-orm/seeder, migrations and entity-generator that it can find, and registers
# what it found, whether the options name it or not. The names are put together at run time, so a bundler leaves those
# imports as they are: with @mikro-orm/migrations merely installed beside the bundle, `init` loads it together with copies
# of the core, of the SQL packages and of Kysely that are in the bundle already. Each start pays for reading them, and an
# extension of the other copy is registered. The constructor (`new MikroORM(options)`, for entities that are given as
# classes) loads nothing and registers what the options name.
# Seen on 2026-11-30 with Node 24.21.0 and rolldown 1.2.19. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact @mikro-orm/core@7.2.1 @mikro-orm/postgresql@7.2.1 \
  @mikro-orm/migrations@7.2.1 rolldown@1.2.19

cat >source.mjs <<'PROGRAM'
import { registerHooks } from 'node:module';
import { MikroORM } from '@mikro-orm/postgresql';

const read = new Set();
registerHooks({
  load(url, context, next) {
    const [, name] = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url) ?? [];
    if (name) read.add(name);
    return next(url, context);
  },
});
const options = { dbName: 'none', entities: [], discovery: { warnWhenNoEntities: false } };
const orm = process.argv[2] === 'init' ? await MikroORM.init(options) : new MikroORM(options);
const registered = orm.config.get('extensions').map(({ name }) => name);
const again = [...read].filter((name) => /^@mikro-orm|^kysely$/.test(name)).sort();
console.log(`${process.argv[2]}: registered ${registered.join() || 'nothing'}, read again ${again.join(' ') || 'nothing'}`);
PROGRAM
npx rolldown source.mjs --platform node --format esm --dir bundle --entry-file-names [name].mjs --chunk-file-names [name].mjs >/dev/null 2>&1
{
  node bundle/source.mjs init
  node bundle/source.mjs constructor
} | tee seen

cat >expected <<'SEEN'
init: registered Migrator, read again @mikro-orm/core @mikro-orm/migrations @mikro-orm/sql kysely
constructor: registered nothing, read again nothing
SEEN
diff expected seen
