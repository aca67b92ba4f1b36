#!/bin/sh
# Makes the panel's database, its owner (who migrates) and its login, which inherits nothing, once and with a connection string of
# the server's superuser. Patroni runs it in a cluster that it has just made; for a server that is there already:
#   OWNER_PASSWORD=... APP_PASSWORD=... deploy/cluster/make-roles.sh postgresql://postgres@db.example.com/postgres
set -eu
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --dbname "$1" <<'SQL'
\set owner_password `printf %s "$OWNER_PASSWORD"`
\set app_password `printf %s "$APP_PASSWORD"`
create role panel_owner login createrole password :'owner_password';
-- So that the panel can tell how far the standbys are behind.
grant pg_monitor to panel_owner;
create role panel_app login noinherit password :'app_password';
create database panel owner panel_owner;
SQL
