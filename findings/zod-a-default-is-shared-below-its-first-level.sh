#!/usr/bin/env bash
# zod 4.6.7: what is written into a default value shows up in the next one, but only below its first level.
#
# .default([]) answers a new array each time, as a first look confirms. It is a copy of one level: an object or array inside
# is one and the same in all answers, and in the schema. So a program that writes into what was left out (labels of one
# tenant, headers of one request) hands it to everyone who leaves it out after that, for as long as the process lives. A
# function makes it anew, and so does .prefault(), which is parsed. .default() is not: defaults of its inside do not come.
# Seen on 2026-12-01 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact zod@4.6.7

cat >try.mjs <<'PROGRAM'
import { z } from 'zod';

const shape = z.object({ labels: z.array(z.string()).optional(), owner: z.string().default('nobody') });
const schemas = {
  'an array': [z.array(z.string()).default([]), (value) => value.push('of tenant a')],
  'an object': [z.record(z.string(), z.string()).default({}), (value) => (value.owner = 'tenant a')],
  'an array in an object': [shape.default({ labels: [] }), (value) => value.labels.push('of tenant a')],
  'the same by a function': [shape.default(() => ({ labels: [] })), (value) => value.labels.push('of tenant a')],
  'the same by prefault': [shape.prefault({ labels: [] }), (value) => value.labels.push('of tenant a')],
};
for (const [what, [schema, write]] of Object.entries(schemas)) {
  const settings = z.object({ value: schema });
  write(settings.parse({}).value);
  console.log(`${what}: tenant b gets ${JSON.stringify(settings.parse({}).value)}`);
}
PROGRAM

cat >expected <<'OUTPUT'
an array: tenant b gets []
an object: tenant b gets {}
an array in an object: tenant b gets {"labels":["of tenant a"]}
the same by a function: tenant b gets {"labels":[]}
the same by prefault: tenant b gets {"labels":[],"owner":"nobody"}
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
