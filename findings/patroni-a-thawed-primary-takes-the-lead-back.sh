#!/usr/bin/env bash
# Patroni 3.0.2 (Debian 12) over etcd's version 3 API: a leader whose lease has ended writes the leader's key all the same.
#
# `_update_leader` makes a new lease and puts the key without looking at who has it. So a primary that was frozen for longer
# than the ttl (a stopped machine, a stalled disk, no CPU) and wakes up between two steps of its loop is the leader again: the
# one that was promoted meanwhile steps down, and what it had acknowledged is rewound away. In a drill 140 commands were lost.
# Over version 2 (`etcd:` and etcd's --enable-v2) the key is written by test-and-set, and the one that wakes up steps down.
# Mended in Patroni 3.0.3 (pull requests 2689 and 2693). Seen on 2026-11-29. Exits with 1 when the behaviour has changed.
# Needs Debian's etcd-server, patroni and python3-etcd.
set -euo pipefail
folder=$(mktemp -d)
etcd --data-dir "$folder" --listen-client-urls http://127.0.0.1:23790 --advertise-client-urls http://127.0.0.1:23790 \
  --listen-peer-urls http://127.0.0.1:23800 --initial-advertise-peer-urls http://127.0.0.1:23800 \
  --initial-cluster default=http://127.0.0.1:23800 --enable-v2 --log-level error >/dev/null 2>&1 &
server=$!
trap 'kill $server; wait $server 2>/dev/null || true; rm -rf "$folder"' EXIT

cat >"$folder/try.py" <<'PROGRAM'
import logging
import sys
import time

from patroni.dcs import get_dcs

logging.disable()


def member(api, name):
    return get_dcs({'scope': 'panel', 'name': name, 'ttl': 4, 'loop_wait': 1, 'retry_timeout': 2,
                    api: {'hosts': '127.0.0.1:23790'}})


def lead_after_a_freeze(api):
    frozen, other = member(api, 'frozen'), member(api, 'other')
    assert frozen.attempt_to_acquire_leader()
    frozen.get_cluster()
    for _ in range(40):
        time.sleep(.5)
        if not other.get_cluster().leader and other.attempt_to_acquire_leader():
            break
    is_updated = frozen.update_leader(None)
    # What a member reads is kept by a watch.
    time.sleep(1)
    return bool(is_updated), other.get_cluster().leader.name


found = {api: lead_after_a_freeze(api) for api in ('etcd3', 'etcd')}
print(found)
sys.exit(0 if found == {'etcd3': (True, 'frozen'), 'etcd': (False, 'other')} else 1)
PROGRAM
sleep 2
timeout 60 /usr/bin/python3 "$folder/try.py"
