#!/usr/bin/env bash
# yaml 2.9.1: with `logLevel: 'silent'` parse() throws nothing at what is no YAML, and answers what it could make of it.
#
# One would take it to keep warnings off the console. It keeps errors back as well: `{a: 1` without its end is an object
# then. `logLevel: 'error'` leaves out the warnings and throws errors.
# Seen on 2026-11-29 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact yaml@2.9.1

cat >try.mjs <<'PROGRAM'
import { parse } from 'yaml';

const outcomes = ['silent', 'error'].map((logLevel) => {
  try {
    return JSON.stringify(parse('{a: 1', { logLevel }));
  } catch (error) {
    return error.name;
  }
});
console.log(outcomes.join(' '));
process.exit(outcomes.join(' ') === '{"a":1} YAMLParseError' ? 0 : 1);
PROGRAM
node try.mjs
