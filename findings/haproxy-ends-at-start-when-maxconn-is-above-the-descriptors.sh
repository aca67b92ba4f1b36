#!/usr/bin/env bash
# haproxy 2.6.12: `maxconn` beyond what the limit of open files allows ends the start, which `haproxy -c` does not say.
#
# Each connection takes two descriptors. Where the hard limit is lower (a container, a service without LimitNOFILE) haproxy
# ends with "Cannot raise FD limit"; without `maxconn` it takes as many connections as the limit allows.
# Seen on 2026-11-29. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/haproxy.cfg" <<'CONFIG'
global
	maxconn 20000
defaults
	mode tcp
	timeout connect 1s
	timeout client 1s
	timeout server 1s
frontend any
	bind "unix@${FOLDER}/any.sock"
	default_backend none
backend none
	server one 127.0.0.1:1
CONFIG
export FOLDER=$folder
ulimit -n 4096
haproxy -c -q -f "$folder/haproxy.cfg"
if timeout 2 haproxy -db -f "$folder/haproxy.cfg" >"$folder/told" 2>&1; then status=0; else status=$?; fi
if [ "$status" = 124 ] || ! grep -q 'Cannot raise FD limit' "$folder/told"; then
  echo "haproxy starts now, or says something else: $(cat "$folder/told")"
  exit 1
fi
sed -i '/maxconn/d' "$folder/haproxy.cfg"
if timeout 2 haproxy -db -f "$folder/haproxy.cfg" >"$folder/told" 2>&1; then status=0; else status=$?; fi
[ "$status" = 124 ] || { echo "without maxconn it does not start either: $(cat "$folder/told")"; exit 1; }
echo "a maxconn above the limit of open files ends haproxy's start, and passes its check"
