#!/usr/bin/env bash
# etcd 3.4 (Debian 12): `etcdctl snapshot save` of a cluster that Patroni uses by version 2 of the API is good, and has none
# of Patroni's keys.
#
# Keys of both versions are in one etcd, with one log and one address, and a snapshot is taken for a copy of it. It is of
# version 3's alone. It is saved, its status is good, it is restored without a word, and etcd starts with `--enable-v2` and
# nothing in it: no leader, no synchronous standby, no settings of `patronictl edit-config`, no history. A backup that is
# taken each night, and restored in a drill that looks whether etcd is healthy, saves nothing of the one thing that uses it.
# Write down `GET /v2/keys/?recursive=true` beside the snapshot, and look for the keys after a restore.
# Seen on 2026-12-01. Needs Debian's etcd-server and curl; etcd-client is fetched by apt-get if it is not there. Exits with 1
# when the behaviour has changed.
set -euo pipefail
for program in etcd curl; do
  command -v $program >/dev/null || { echo "Needs Debian's etcd-server and curl." >&2; exit 2; }
done
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; wait || true; rm -rf "$folder"' EXIT
cd "$folder"
if ! command -v etcdctl >/dev/null; then
  apt-get download etcd-client >/dev/null 2>&1 && dpkg -x etcd-client_*.deb . ||
    { echo "Needs Debian's etcd-client." >&2; exit 2; }
  PATH=$folder/usr/bin:$PATH
fi
port=$((20000 + RANDOM % 20000))
peer=http://127.0.0.1:$((port + 1))
export ETCDCTL_API=3 ETCDCTL_ENDPOINTS=http://127.0.0.1:$port

start() { # data
  etcd --name one --data-dir "$1" --listen-client-urls "$ETCDCTL_ENDPOINTS" --advertise-client-urls "$ETCDCTL_ENDPOINTS" \
    --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "one=$peer" --enable-v2 \
    --log-level error >>log 2>&1 &
  server=$!
  timeout 30 sh -c "until curl -sf $ETCDCTL_ENDPOINTS/health | grep -q true; do kill -0 $server && sleep 0.2; done"
}
keys() {
  echo "$1: version 2 $(curl -s "$ETCDCTL_ENDPOINTS/v2/keys/?recursive=true" | grep -o '"value":"[a-z]*"' || echo nothing)," \
    "version 3 $(etcdctl get --print-value-only a)"
}
start before
curl -sf -X PUT "$ETCDCTL_ENDPOINTS/v2/keys/service/panel/leader" -d value=one >/dev/null
etcdctl put a kept >/dev/null
{
  keys 'before'
  etcdctl snapshot save copy >/dev/null 2>&1 && echo 'snapshot save: good'
  etcdctl snapshot status copy >/dev/null 2>&1 && echo 'snapshot status: good'
} | tee seen
kill "$server"
wait "$server" || true
etcdctl snapshot restore copy --name one --data-dir after --initial-cluster "one=$peer" \
  --initial-advertise-peer-urls "$peer" >>log 2>&1 && echo 'snapshot restore: good' | tee -a seen
start after
keys 'after' | tee -a seen
cat >expected <<'OUTPUT'
before: version 2 "value":"one", version 3 kept
snapshot save: good
snapshot status: good
snapshot restore: good
after: version 2 nothing, version 3 kept
OUTPUT
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
echo 'a snapshot that is good has nothing of what Patroni wrote'
