#!/usr/bin/env bash
# zod 4.6.7: a schema made optional by .partial() answers the defaults of all fields that a patch leaves out.
#
# One schema for making a thing and its .partial() for changing it is how one would write it, and one would guess that what
# is absent stays absent, as do the fields without a default, and as zod 3 had it. Here the default is put in beneath the
# optional: a patch of one field sets each field that has a default back to it, and that is what is merged or written by
# UPDATE. Nothing is refused and the types look the same. .prefault() does it too, .catch() does not. Keep defaults
# out of the schema that both share, and .extend() it by them for making.
# Seen on 2026-12-01 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact zod@4.6.7 zod-3@npm:zod@3.25.76

cat >try.mjs <<'PROGRAM'
import { z as four } from 'zod';
import { z as three } from 'zod-3/v3';

const makers = {
  'zod 3': (z) => z.object({ name: z.string(), quota: z.number().default(10), tags: z.array(z.string()).default([]) }),
  'zod 4': (z) => z.object({ name: z.string(), quota: z.number().default(10), tags: z.array(z.string()).default([]) }),
  'zod 4, prefault': (z) => z.object({ name: z.string(), quota: z.number().prefault(10) }),
  'zod 4, catch': (z) => z.object({ name: z.string(), quota: z.number().catch(10) }),
  'zod 4, defaults apart': (z) => z.object({ name: z.string(), quota: z.number() }),
};
const stored = { name: 'old', quota: 500, tags: ['gold'] };
for (const [way, make] of Object.entries(makers)) {
  const patch = make(way === 'zod 3' ? three : four).partial().parse({ name: 'new' });
  console.log(`${way}: ${JSON.stringify(patch)}, stored ${JSON.stringify({ ...stored, ...patch })}`);
}
PROGRAM

cat >expected <<'OUTPUT'
zod 3: {"name":"new"}, stored {"name":"new","quota":500,"tags":["gold"]}
zod 4: {"name":"new","quota":10,"tags":[]}, stored {"name":"new","quota":10,"tags":[]}
zod 4, prefault: {"name":"new","quota":10}, stored {"name":"new","quota":10,"tags":["gold"]}
zod 4, catch: {"name":"new"}, stored {"name":"new","quota":500,"tags":["gold"]}
zod 4, defaults apart: {"name":"new"}, stored {"name":"new","quota":500,"tags":["gold"]}
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
