#!/usr/bin/env bash
# @tanstack/react-router 1.170.46: a text of digits in the query string of an address is read as a number, and can be another one.
#
# Its own links put such texts in quotes (?q=%2242%22) and read them back. An address that anybody else wrote, by hand, in a
# mail or by another program, has none: ?tag=2026 is a number, which a check for text throws away, so that the page shows
# the list without its filter; an id of twenty digits loses the last of them, 1e5 is 100000 and 1.10 is 1.1, and what was
# typed is gone for good. JSON.parse is the second of two readers: with parseSearchWith(x => x) numbers that are written
# as JavaScript writes them still come as numbers, but of the same digits, so that String() gives the text back.
# Seen on 2026-11-30 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact @tanstack/react-router@1.170.46 react@19.3.1 react-dom@19.3.1 node@24.21.0
export PATH="$folder/node_modules/.bin:$PATH"

cat >try.mjs <<'PROGRAM'
import { defaultParseSearch, defaultStringifySearch, parseSearchWith } from '@tanstack/react-router';

const plain = parseSearchWith((text) => text);
console.log('its own link:', defaultStringifySearch({ q: '12345678901234567890' }));
for (const typed of ['2026', '12345678901234567890', '1e5', '1.10', '007']) {
  const { q } = defaultParseSearch(`?q=${typed}`);
  const { q: text } = plain(`?q=${typed}`);
  console.log(`?q=${typed} -> ${typeof q} ${q}; without JSON.parse ${typeof text} ${text}`);
}
PROGRAM

cat >expected <<'OUTPUT'
its own link: ?q=%2212345678901234567890%22
?q=2026 -> number 2026; without JSON.parse number 2026
?q=12345678901234567890 -> number 12345678901234567000; without JSON.parse string 12345678901234567890
?q=1e5 -> number 100000; without JSON.parse string 1e5
?q=1.10 -> number 1.1; without JSON.parse string 1.10
?q=007 -> string 007; without JSON.parse string 007
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
