#!/bin/sh
# Starts one of the programs around the panels, with the configuration in this folder: in the image of deploy/cluster/Dockerfile
# and by `npm run cluster` alike.
#   start.sh etcd|patroni|haproxy|pgbouncer|redis|sentinel
# A password NAME may be in a file, which NAME_FILE names. RUN_DIR is for what is made anew at each start, STATE_DIR for what has to
# last.
set -eu
umask 077
etc=$(cd "$(dirname "$0")" && pwd)
export ETC="$etc"

for setting in PATRONI_PASSWORD SUPERUSER_PASSWORD REPLICATION_PASSWORD OWNER_PASSWORD APP_PASSWORD REDIS_PASSWORD; do
  eval "file=\${${setting}_FILE:-}"
  [ -n "$file" ] || continue
  [ -r "$file" ] || { echo "${setting}_FILE: $file cannot be read" >&2; exit 1; }
  value=$(cat "$file")
  export "$setting=$value"
done

# Fills ${NAME} from the environment; a setting that is missing ends the start.
render() {
  perl -pe 's/\$\{(\w+)\}/$ENV{$1} \/\/ die "$1 is not set, which $ARGV needs\n"/ge' "$etc/$1" >"$2"
}

mkdir -p "$RUN_DIR"
case "${1:-}" in
  etcd)
    # The machines of a cluster share a clock of their own: an election begins after ten missed signs of life.
    exec etcd --name "$MEMBER" --data-dir "$STATE_DIR" \
      --listen-client-urls "http://$ETCD_LISTEN:$ETCD_CLIENT_PORT" --advertise-client-urls "http://$ETCD_HOST:$ETCD_CLIENT_PORT" \
      --listen-peer-urls "http://$ETCD_LISTEN:$ETCD_PEER_PORT" --initial-advertise-peer-urls "http://$ETCD_HOST:$ETCD_PEER_PORT" \
      --initial-cluster "$ETCD_CLUSTER" --initial-cluster-token quazzar --initial-cluster-state new \
      --heartbeat-interval 200 --election-timeout 2000 --enable-v2 --log-level warn
    ;;
  patroni)
    render patroni.yml "$RUN_DIR/patroni.yml"
    exec patroni "$RUN_DIR/patroni.yml"
    ;;
  haproxy)
    # What ends TLS on the same machine.
    export OUTER_PROXY="${OUTER_PROXY:-127.0.0.1}"
    render haproxy.cfg "$RUN_DIR/haproxy.cfg"
    exec haproxy -db -f "$RUN_DIR/haproxy.cfg"
    ;;
  pgbouncer)
    printf '"panel_app" "%s"\n' "$APP_PASSWORD" >"$RUN_DIR/userlist.txt"
    render pgbouncer.ini "$RUN_DIR/pgbouncer.ini"
    exec pgbouncer "$RUN_DIR/pgbouncer.ini"
    ;;
  redis)
    # Written once: Sentinel changes it when another one becomes the master.
    if [ ! -f "$STATE_DIR/redis.conf" ]; then
      render redis.conf "$STATE_DIR/redis.conf"
      [ "$REDIS_HOST:$REDIS_PORT" = "$REDIS_FIRST_HOST:$REDIS_FIRST_PORT" ] ||
        echo "replicaof $REDIS_FIRST_HOST $REDIS_FIRST_PORT" >>"$STATE_DIR/redis.conf"
    fi
    exec redis-server "$STATE_DIR/redis.conf"
    ;;
  sentinel)
    [ -f "$STATE_DIR/sentinel.conf" ] || render sentinel.conf "$STATE_DIR/sentinel.conf"
    exec redis-server "$STATE_DIR/sentinel.conf" --sentinel
    ;;
  *)
    echo "usage: start.sh etcd|patroni|haproxy|pgbouncer|redis|sentinel" >&2
    exit 64
    ;;
esac
