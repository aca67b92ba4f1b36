#!/usr/bin/env bash
# luxon 3.7.2: which of the two hours of an autumn night it takes depends on the season in which the program runs.
#
# A local time that exists twice is read with the offset that the zone has at the moment of the call: the same code
# gives the later hour in winter and the earlier one in summer. A schedule computed in July and again in November
# differs by an hour, and a test that passes in one half of the year fails in the other. Take the candidates yourself
# (getPossibleOffsets) or fix the choice.
# Seen on 2026-11-28 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact luxon@3.7.2

cat >try.mjs <<'PROGRAM'
import { DateTime, Settings } from 'luxon';

const night = { year: 2026, month: 10, day: 25, hour: 2, minute: 30 };
for (const today of ['2026-01-15', '2026-07-15']) {
  const now = Date.parse(today);
  Settings.now = () => now;
  console.log(today, DateTime.fromObject(night, { zone: 'Europe/Berlin' }).toISO());
}
PROGRAM

cat >expected <<'OUTPUT'
2026-01-15 2026-10-25T02:30:00.000+01:00
2026-07-15 2026-10-25T02:30:00.000+02:00
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
