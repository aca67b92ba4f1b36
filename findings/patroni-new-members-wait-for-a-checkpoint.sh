#!/usr/bin/env bash
# Patroni 3.0.2: a new member is copied with a checkpoint that takes its time, unless `basebackup` says `checkpoint: fast`.
#
# Patroni calls pg_basebackup without --checkpoint=fast, whose default waits for a checkpoint spread over
# checkpoint_completion_target (0.9) of checkpoint_timeout (5 min): in a quiet cluster the first standby is there after minutes,
# and GET /cluster says "creating replica" meanwhile.
# Seen on 2026-11-29 with Debian 12's patroni and postgresql-15: no standby after 75 s, and both within 15 s with the option.
# Exits with 1 when the behaviour has changed.
set -euo pipefail
source=/usr/lib/python3/dist-packages/patroni/postgresql/bootstrap.py
if grep -A40 'def basebackup' "$source" | grep -q -- '--checkpoint'; then
  echo "Patroni asks for a fast checkpoint by itself now"
  exit 1
fi
pg_basebackup --help | grep -q 'checkpoint=fast|spread'
echo "Patroni leaves the checkpoint of pg_basebackup at its default, spread"
