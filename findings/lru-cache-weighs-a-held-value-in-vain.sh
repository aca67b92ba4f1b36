#!/usr/bin/env bash
# lru-cache 11.5.3: a value that has grown and is set again is weighed, but the cache goes on counting what it weighed first.
#
# Where a cache is bounded by maxSize, an entry is often something that grows, as a list of plans of one document. To set
# it again under its key looks like the way to tell the cache: sizeCalculation is called, and what it answers is not
# used as long as the value is the same object. A cache of 100 then holds any number of bytes. A copy counts, and so
# does deleting the key first.
# Seen on 2026-11-28 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact lru-cache@11.5.3

cat >try.mjs <<'PROGRAM'
import { LRUCache } from 'lru-cache';

let weighed = 0;
const cache = new LRUCache({
  maxSize: 100,
  sizeCalculation: (list) => {
    weighed += 1;
    return list.length;
  },
});
const list = ['first'];
cache.set('key', list);
while (list.length < 50) list.push('more');
cache.set('key', list);
console.log(`set again: weighed ${weighed} times, counted as ${cache.calculatedSize}, holds ${cache.get('key').length}`);
cache.set('key', [...list]);
console.log(`set as a copy: counted as ${cache.calculatedSize}`);
PROGRAM

cat >expected <<'OUTPUT'
set again: weighed 2 times, counted as 1, holds 50
set as a copy: counted as 50
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
