#!/usr/bin/env bash
# pino 10.4.0: with a wildcard among the paths to redact, logging a URL throws, out of the call that was to log.
#
# To blank a path without touching the caller's object, pino copies each object that the path may lead into: its own
# properties, on an object of the same class. `*.password` may lead into every field. What keeps its value elsewhere, in
# private fields or in memory, is a husk then whose toJSON fails: a URL ends the log call with a TypeError; a Buffer, or
# an instance of a class with private fields, is logged as "circular reference", of which there is none. Without redaction
# and one level deeper all of them are logged well. So it comes with the setting that was to make logs safe, and mostly
# where an error is handled and its address logged. Hand over text (url.href), or list the fields without a wildcard.
# Seen on 2026-12-01 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact pino@10.4.0

cat >try.mjs <<'PROGRAM'
import pino from 'pino';

class Version {
  #text = '1.2.3';
  toJSON() {
    return this.#text;
  }
}
const values = {
  url: new URL('https://panel.example/hook'),
  key: Buffer.from('ab'),
  version: new Version(),
  at: new Date(0),
  deeper: { url: new URL('https://panel.example/hook') },
};
for (const [name, redact] of [['without', []], ['by name', ['account.password']], ['by a wildcard', ['*.password']]]) {
  let line;
  const log = pino({ redact, base: null, timestamp: false }, { write: (text) => (line = text) });
  console.log(`${name}:`);
  for (const [field, value] of Object.entries(values)) {
    try {
      log.info({ [field]: value });
      const { level, ...logged } = JSON.parse(line);
      console.log(`  ${JSON.stringify(logged)}`);
    } catch (error) {
      console.log(`  ${field}: the call throws a ${error.name}`);
    }
  }
}
PROGRAM

cat >expected <<'OUTPUT'
without:
  {"url":"https://panel.example/hook"}
  {"key":{"type":"Buffer","data":[97,98]}}
  {"version":"1.2.3"}
  {"at":"1970-01-01T00:00:00.000Z"}
  {"deeper":{"url":"https://panel.example/hook"}}
by name:
  {"url":"https://panel.example/hook"}
  {"key":{"type":"Buffer","data":[97,98]}}
  {"version":"1.2.3"}
  {"at":"1970-01-01T00:00:00.000Z"}
  {"deeper":{"url":"https://panel.example/hook"}}
by a wildcard:
  url: the call throws a TypeError
  {"key":"[unable to serialize, circular reference is too complex to analyze]"}
  {"version":"[unable to serialize, circular reference is too complex to analyze]"}
  {"at":"1970-01-01T00:00:00.000Z"}
  {"deeper":{"url":"https://panel.example/hook"}}
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
