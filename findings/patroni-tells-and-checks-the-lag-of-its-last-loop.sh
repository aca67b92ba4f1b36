#!/usr/bin/env bash
# Patroni 3.0.2 (Debian 12): how far a standby is behind is told, and checked in a switchover, as of the leader's last loop.
#
# The leader writes its position to the store once per `loop_wait`, and both GET /cluster and the check of a candidate against
# `maximum_lag_on_failover` take that as the end of the log. So for up to ten seconds (the default) after a burst of writes
# POST /switchover takes a candidate that is many megabytes behind, and nobody leads until that has caught up, while
# pg_stat_replication on the leader has told the lag from the first moment. Whoever offers a switchover has to measure there.
# Seen on 2026-11-30 with Debian 12's patroni, etcd-server and postgresql-15. Exits with 1 when the behaviour has changed.
# Needs those packages and curl; starts two members and one etcd on loopback, as the user postgres.
set -euo pipefail
folder=$(mktemp -d)
chmod 755 "$folder"
pids=()
finish() {
  for ((at = ${#pids[@]} - 1; at >= 0; at--)); do kill "${pids[at]}" 2>/dev/null || true; done
  wait || true
  rm -rf "$folder"
}
trap finish EXIT
etcd --data-dir "$folder/etcd" --listen-client-urls http://127.0.0.1:23790 --advertise-client-urls http://127.0.0.1:23790 \
  --listen-peer-urls http://127.0.0.1:23800 --initial-advertise-peer-urls http://127.0.0.1:23800 \
  --initial-cluster default=http://127.0.0.1:23800 --log-level error >/dev/null 2>&1 &
pids+=($!)

member() { # name, number
  local home="$folder/$1"
  mkdir "$home"
  cat >"$home/patroni.yml" <<YAML
scope: lag
name: $1
restapi: {listen: "127.0.0.1:2401$2", connect_address: "127.0.0.1:2401$2"}
etcd3: {hosts: "127.0.0.1:23790"}
bootstrap:
  dcs: {ttl: 30, loop_wait: 10, retry_timeout: 10, maximum_lag_on_failover: 1048576, postgresql: {parameters: {fsync: 'off'}}}
  initdb: [{encoding: UTF8}, {locale: C.UTF-8}]
postgresql:
  listen: "127.0.0.1:2402$2"
  connect_address: "127.0.0.1:2402$2"
  data_dir: $home/data
  bin_dir: /usr/lib/postgresql/15/bin
  pgpass: $home/pgpass
  authentication: {superuser: {username: postgres, password: s}, replication: {username: replicator, password: r}}
  basebackup: [{checkpoint: fast}]
  pg_hba: ["host all all 127.0.0.1/32 scram-sha-256", "host replication all 127.0.0.1/32 scram-sha-256"]
  parameters: {unix_socket_directories: $home}
YAML
  chown -R postgres "$home"
  runuser -u postgres -- patroni "$home/patroni.yml" >"$home/log" 2>&1 &
  pids+=($!)
}
until_answers() { # path of a member's interface, port
  for _ in $(seq 60); do
    curl -sf -o /dev/null "http://127.0.0.1:$2$1" && return
    sleep 1
  done
  echo "no answer from $1 at $2" && exit 2
}
sql() { PGPASSWORD=s psql -h 127.0.0.1 -p 24021 -U postgres -qtA -c "$1"; }

sleep 2
member one 1
until_answers /primary 24011
member two 2
until_answers /replica 24012
for _ in $(seq 30); do [ "$(sql 'select count(*) from pg_stat_replication')" = 1 ] && break || sleep 1; done

postmaster=$(head -1 "$folder/two/data/postmaster.pid")
receiver=$(pgrep -P "$postmaster" -f walreceiver)
# Right behind a loop, so that the next one is seconds away.
before=$(grep -c 'I am (one), the leader' "$folder/one/log" || true)
until [ "$(grep -c 'I am (one), the leader' "$folder/one/log" || true)" != "$before" ]; do sleep 0.2; done
kill -STOP "$receiver"
sql 'create table filler as select md5(n::text) from generate_series(1, 100000) n'
measured=$(sql 'select pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint from pg_stat_replication')
told=$(curl -s http://127.0.0.1:24011/cluster | python3 -c 'import json, sys
print(next(m["lag"] for m in json.load(sys.stdin)["members"] if m["name"] == "two"))')
(sleep 4 && kill -CONT "$receiver") &
answer=$(curl -s -m 90 -w ' %{http_code}' -X POST -H 'content-type: application/json' \
  -d '{"leader": "one", "candidate": "two"}' http://127.0.0.1:24011/switchover)
echo "behind by pg_stat_replication: $measured bytes; by GET /cluster: $told; POST /switchover: $answer"
[ "$measured" -gt 4000000 ] && [ "$told" -lt 1048576 ] && [[ $answer == *' 200' ]]
