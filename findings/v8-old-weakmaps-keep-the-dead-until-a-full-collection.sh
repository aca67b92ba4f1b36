#!/usr/bin/env bash
# V8 13.6 (Node 24.21): what a WeakMap holds stays in memory until the whole heap is collected, if the map is old and its values lead back to their keys.
#
# A WeakMap with one entry for each request looks like the clean way to keep something "with" it: entry and value die
# with the key. The map itself is old, as it lives with the process. A collection of the young takes the values that an
# old map holds for alive, and a value that leads to its key (a context that knows its request) keeps the key as well: all
# that hangs on either is copied to the old heap. For each request of the panel that was some 18 kB; a sixth of the
# process' CPU was collecting, and memory rose by hundreds of MB until the next full collection, when all of it was gone,
# which looks like a leak. As a property, or a private field, of the key it dies young.
# Seen on 2026-11-29 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat >try.mjs <<'PROGRAM'
const contexts = new WeakMap();
const places = {
  'in a WeakMap': (request, kept) => contexts.set(request, kept),
  'in a property': (request, kept) => (request.kept = kept),
};
const used = () => process.memoryUsage().heapUsed / 1e6;
const amount = (megabytes) => (megabytes > 3 ? 'megabytes' : 'nothing');
for (const [place, keep] of Object.entries(places)) {
  // The map is old by now, as that of a server is.
  gc();
  gc();
  const before = used();
  for (let turn = 0; turn < 20; turn += 1) {
    for (let each = 0; each < 100; each += 1) {
      const request = { each };
      keep(request, { request, rows: Array.from({ length: 100 }, (_, at) => ({ at })) });
    }
    gc({ type: 'minor' });
  }
  gc({ type: 'minor' });
  const young = used() - before;
  gc();
  const all = used() - before;
  console.log(`${place}: after collections of the young ${amount(young)} left, after one of all ${amount(all)}`);
}
PROGRAM

cat >expected <<'OUTPUT'
in a WeakMap: after collections of the young megabytes left, after one of all nothing
in a property: after collections of the young nothing left, after one of all nothing
OUTPUT

timeout 60 node --expose-gc try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
