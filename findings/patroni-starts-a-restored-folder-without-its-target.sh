#!/usr/bin/env bash
# Patroni 3.0.2 (Debian 12): a data folder that was put back to a moment of the past is not recovered to it when Patroni starts
# it, as the recovery settings of the restore are taken out first.
#
# pgBackRest, pg_probackup and PostgreSQL's manual leave `restore_command` and `recovery_target_time` in postgresql.auto.conf and
# a recovery.signal. Patroni writes standby.signal in its place, drops `restore_command` from postgresql.auto.conf and overrides
# the target: the server asks for WAL that nobody sends it any more, is never consistent or never promoted, and Patroni waits for
# it without end. What works is to start PostgreSQL by pg_ctl, wait for its promotion, stop it, and start Patroni on the result
# (or Patroni's own custom bootstrap of a new cluster).
# Seen on 2026-11-30. Exits with 1 when the behaviour has changed. Needs Debian's etcd-server, patroni, python3-etcd and
# postgresql-15, and to be run as root.
set -euo pipefail
bin=/usr/lib/postgresql/15/bin
folder=$(mktemp -d)
mkdir "$folder/archive" "$folder/run"
chown -R postgres "$folder"
as() { runuser -u postgres -- env -i PATH="$PATH" LANG=C.UTF-8 "$@"; }
pids=()
stop() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  pids=()
}
trap 'stop; rm -rf "$folder"' EXIT

cat >"$folder/patroni.yml" <<CONFIG
scope: panel
name: one
restapi: { listen: '127.0.0.1:28008', connect_address: '127.0.0.1:28008' }
etcd: { hosts: '127.0.0.1:23790' }
bootstrap:
  dcs: { ttl: 20, loop_wait: 2, retry_timeout: 5 }
  initdb: [encoding: UTF8, locale: C.UTF-8]
postgresql:
  listen: 127.0.0.1:25432
  connect_address: 127.0.0.1:25432
  data_dir: $folder/data
  bin_dir: $bin
  pgpass: $folder/run/pgpass
  authentication:
    superuser: { username: postgres, password: s }
    replication: { username: replicator, password: r }
  pg_hba: ['local all postgres trust', 'local replication postgres trust', 'host all all 127.0.0.1/32 trust', 'host replication all 127.0.0.1/32 trust']
  parameters:
    unix_socket_directories: $folder/run
    archive_mode: 'on'
    archive_command: 'cp %p $folder/archive/%f'
CONFIG
chmod 644 "$folder/patroni.yml"

start() {
  rm -rf "$folder/etcd"
  # exec, so that the pid is the program's own.
  (cd / && exec setpriv --reuid=postgres --regid=postgres --clear-groups etcd --data-dir "$folder/etcd" \
    --listen-client-urls http://127.0.0.1:23790 --advertise-client-urls http://127.0.0.1:23790 \
    --listen-peer-urls http://127.0.0.1:23800 --initial-advertise-peer-urls http://127.0.0.1:23800 \
    --initial-cluster default=http://127.0.0.1:23800 --enable-v2 --log-level error >/dev/null 2>&1) &
  pids+=($!)
  sleep 2
  (cd / && exec setpriv --reuid=postgres --regid=postgres --clear-groups env -i PATH="$PATH" LANG=C.UTF-8 \
    patroni "$folder/patroni.yml" >"$folder/run/patroni.log" 2>&1) &
  pids+=($!)
}
leads() { curl --silent --fail http://127.0.0.1:28008/primary >/dev/null; }
within() {
  for _ in $(seq "$1"); do leads && return 0 || sleep 1; done
  return 1
}
ask() { as psql -qAt -h "$folder/run" -p 25432 -U postgres -c "$1"; }

start
within 90
as "$bin/pg_basebackup" --pgdata "$folder/base" --checkpoint fast -h "$folder/run" -p 25432 -U postgres --wal-method none 2>/dev/null
ask 'create table t as select 1'
sleep 1
moment=$(ask 'select now()')
sleep 1
ask 'insert into t values (2)'
ask 'select pg_switch_wal()' >/dev/null
sleep 2
stop

rm -rf "$folder/data" && mv "$folder/base" "$folder/data"
cat >>"$folder/data/postgresql.auto.conf" <<CONFIG
restore_command = 'cp $folder/archive/%f "%p"'
recovery_target_time = '$moment'
recovery_target_action = 'promote'
CONFIG
touch "$folder/data/recovery.signal" && chown postgres "$folder/data/recovery.signal"
cp -a "$folder/data" "$folder/copy"

start
isLed=no
within 45 && isLed=yes
kept=$(grep -c '^restore_command\|^recovery_target' "$folder/data/postgresql.auto.conf" || true)
signals=$(cd "$folder/data" && ls -- *.signal 2>/dev/null || true)
stop

rm -rf "$folder/data" && mv "$folder/copy" "$folder/data"
as "$bin/pg_ctl" -D "$folder/data" -w -t 60 -l "$folder/run/pg.log" \
  -o "-p 25432 -c unix_socket_directories=$folder/run -c listen_addresses= -c archive_mode=off" start >/dev/null
for _ in $(seq 30); do [ "$(ask 'select pg_is_in_recovery()')" = f ] && break || sleep 1; done
rows=$(ask 'select count(*) from t')
as "$bin/pg_ctl" -D "$folder/data" -w -m fast stop >/dev/null

echo "by Patroni: leads: $isLed, settings kept: $kept, signals: $signals; by pg_ctl: $rows row(s) of the moment"
[ "$isLed $kept $signals $rows" = 'no 0 standby.signal 1' ]
