#!/usr/bin/env bash
# pg_dump 15.20 and pg_restore 15.20: --version counts as the first argument only.
#
# Behind any other option it is "unrecognized option", although --help does not say so: a program that puts its usual
# options (--no-password) in front of what it asks for learns nothing of the version. psql takes it anywhere.
# Seen on 2026-11-29 with Debian's postgresql-client-15. Exits with 1 when the behaviour has changed.
set -euo pipefail
for program in pg_dump pg_restore; do
  "$program" --version >/dev/null
  if "$program" --no-password --version >/dev/null 2>&1; then
    echo "$program takes --version behind another option now"
    exit 1
  fi
done
psql --no-password --version >/dev/null
echo "pg_dump and pg_restore know --version as their first argument only"
