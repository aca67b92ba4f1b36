#!/usr/bin/env bash
# haproxy 2.6.12 (Debian 12): after a start, and after each reload, all servers count as healthy until their first check.
#
# A backend whose checks ask Patroni which member leads (`option httpchk OPTIONS /primary`) has three leaders then: a part
# of the connections of the first moments goes to standbys, where writes fail as read-only and reads are old. A reload
# forgets what the process before it knew. `fall 1` and a short `inter` make that moment short, and first checks are spread
# over the interval. Refuse connections while more than one server is up
# (`tcp-request connection reject if { nbsrv(primary) gt 1 }`), or hand the states on in a file (load-server-state-from-file).
# Seen on 2026-11-30. Needs Debian's haproxy. Exits with 1 when the behaviour has changed.
set -euo pipefail
command -v haproxy >/dev/null || { echo "Needs Debian's haproxy." >&2; exit 2; }
folder=$(mktemp -d)
pids=()
trap 'for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; wait || true; rm -rf "$folder"' EXIT
cd "$folder"
base=$((20000 + RANDOM % 20000))

# Three members that say who they are, and what asks whether they lead: the first one does.
cat >members.mjs <<'PROGRAM'
import http from 'node:http';
import net from 'node:net';

const base = Number(process.argv[2]);
for (const member of [1, 2, 3]) {
  net.createServer((socket) => socket.on('error', () => undefined).end(`${member}\n`)).listen(base + member, '127.0.0.1');
  http
    .createServer((request, response) => response.writeHead(member === 1 ? 200 : 503).end())
    .listen(base + 10 + member, '127.0.0.1');
}
PROGRAM
node members.mjs "$base" &
pids+=($!)
configuration() { # what is added
  cat <<CONFIG
defaults
	mode tcp
	timeout connect 1s
	timeout client 5s
	timeout server 5s
listen primary
	bind 127.0.0.1:$base
	$1
	option httpchk OPTIONS /primary
	default-server inter 1s fall 1 rise 1
	server one 127.0.0.1:$((base + 1)) check port $((base + 11))
	server two 127.0.0.1:$((base + 2)) check port $((base + 12))
	server three 127.0.0.1:$((base + 3)) check port $((base + 13))
CONFIG
}
answers() { # for some two seconds
  for _ in $(seq 60); do
    timeout 1 bash -c "exec 3<>/dev/tcp/127.0.0.1/$base && cat <&3" 2>/dev/null || true
    sleep 0.03
  done
}
told() { grep -q '[23]' "$1" && echo 'standbys were asked' || echo 'nobody but the leader was asked'; }
timeout 10 bash -c "until (exec 3<>/dev/tcp/127.0.0.1/$((base + 13))) 2>/dev/null; do sleep 0.1; done"

for added in '' 'tcp-request connection reject if { nbsrv(primary) gt 1 }'; do
  configuration "$added" >haproxy.cfg
  haproxy -W -db -f haproxy.cfg 2>>log &
  process=$!
  pids+=("$process")
  answers >at-start
  kill -USR2 "$process"
  answers >at-reload
  kill "$process"
  wait "$process" || true
  grep -q 1 at-start && grep -q 1 at-reload || { echo 'The leader has not answered.' >&2; exit 2; }
  echo "${added:-as it is}: at the start $(told at-start), after a reload $(told at-reload)"
done | tee seen
cat >expected <<'OUTPUT'
as it is: at the start standbys were asked, after a reload standbys were asked
tcp-request connection reject if { nbsrv(primary) gt 1 }: at the start nobody but the leader was asked, after a reload nobody but the leader was asked
OUTPUT
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
