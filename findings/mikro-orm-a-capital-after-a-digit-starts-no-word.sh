#!/usr/bin/env bash
# @mikro-orm/core 7.2.1: its default naming strategy starts no new word at a capital that follows a digit.
#
# `priceHourly` becomes the column `price_hourly`, but `ipv4PriceHourly` becomes `ipv4price_hourly` and `p95Latency`
# becomes `p95latency`. A hand-written migration that says `ipv4_price_hourly` meets "column does not exist" at the first
# query, and what the entity generator makes of the column is another property (`ipv4priceHourly`) than the one that made
# it. Such a property needs its column's name in the decorator (`name:`).
# Seen on 2026-11-29 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact @mikro-orm/core@7.2.1

cat >try.mjs <<'PROGRAM'
import { UnderscoreNamingStrategy } from '@mikro-orm/core';

const strategy = new UnderscoreNamingStrategy();
for (const property of ['priceHourly', 'ipv4PriceHourly', 'p95Latency', 'sha256Of']) {
  const column = strategy.propertyToColumnName(property);
  console.log(`${property} -> ${column} -> ${strategy.columnNameToProperty(column)}`);
}
PROGRAM
node try.mjs | tee seen

cat >expected <<'SEEN'
priceHourly -> price_hourly -> priceHourly
ipv4PriceHourly -> ipv4price_hourly -> ipv4priceHourly
p95Latency -> p95latency -> p95latency
sha256Of -> sha256of -> sha256of
SEEN
diff expected seen
