#!/bin/sh
# Makes the secrets of a deployment, one to a file, in the folder that is named; what is there already stays.
#   deploy/cluster/make-secrets.sh secrets
# The addresses in the *_url files are those of docker-compose.yml, unless HAPROXY_HOST and the others below say otherwise.
set -eu
umask 077
folder=${1:?usage: make-secrets.sh FOLDER}
mkdir -p "$folder"

# What `openssl rand` would say, from the kernel itself.
random() { head -c "$1" /dev/urandom | base64 | tr -d '\n'; }
word() { random 24 | tr '+/' '-_'; }
# The folder keeps others out; inside a container each file is mounted for a user that is not us.
put() { [ -f "$folder/$1" ] || { printf %s "$2" >"$folder/$1" && chmod 444 "$folder/$1"; }; }
have() { cat "$folder/$1"; }

put secrets_key "$(random 32)"
for name in superuser replication owner app patroni redis grafana; do put "${name}_password" "$(word)"; done
put metrics_token "$(word)"

haproxy=${HAPROXY_HOST:-haproxy}
primary=${PRIMARY_ADDRESS:-$haproxy:5432}
put database_owner_url "postgresql://panel_owner:$(have owner_password)@$primary/panel"
put database_direct_url "postgresql://panel_app:$(have app_password)@$primary/panel"
put database_read_url "postgresql://panel_app:$(have app_password)@${REPLICA_ADDRESS:-$haproxy:5433}/panel"
put database_url "postgresql://panel_app:$(have app_password)@${PGBOUNCER_ADDRESS:-pgbouncer:6432}/panel"
put redis_url "redis://:$(have redis_password)@${REDIS_ADDRESS:-$haproxy:6379}"
urls=
for address in ${PATRONI_ADDRESSES:-postgres-1:8008 postgres-2:8008 postgres-3:8008}; do
  urls="$urls${urls:+,}http://patroni:$(have patroni_password)@$address"
done
put patroni_urls "$urls"
