#!/usr/bin/env bash
# systemd 252 (Debian 12) and Node 24: EnvironmentFile and --env-file read the same line of the same file as different values.
#
# A service has its settings by `EnvironmentFile`, and whoever runs one of its commands by hand gives `--env-file` with the
# same file. Of a value without quotes Node drops all from the first # on, and systemd takes each \ away. In double quotes
# systemd takes \" and \\ for what they stand for and leaves \n as two characters; Node makes a line break of \n, leaves \\
# as two, and at \" the value is over. None of it is told: a password with such a character is right for the service and
# refused for the command that makes a backup, and a key in PEM with \n is one line for systemd.
# Between single quotes both take every character as it stands, line breaks too; a value that has a ' itself goes between
# double quotes if it has neither " nor \, or else into a file of its own.
# Seen on 2026-12-01 with Node 24.21.0 (by npm). Runs a systemd of its own for a user, in namespaces of its own, so it needs
# Debian's systemd and the right to make those. Exits with 1 when the behaviour has changed.
set -euo pipefail
manager=/lib/systemd/systemd
[ -x $manager ] && unshare --user --map-root-user --mount true 2>/dev/null ||
  { echo "Needs Debian's systemd, and user namespaces." >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact node@24.21.0

cat >settings <<'SETTINGS'
BARE_HASH=pass#word
BARE_BACKSLASH=pass\word
DOUBLE_HASH="pass#word"
DOUBLE_QUOTE="pass\"word"
DOUBLE_BACKSLASH="pass\\word"
DOUBLE_N="one\ntwo"
SINGLE='pass#\\"\n$word'
SINGLE_LINES='one
two'
SETTINGS
names=$(sed -n 's/=.*//p' settings)

cat >tell.sh <<'TELL'
for name in $(cat names); do eval "printf '%s %s\n' $name \"\$$name\"" | sed -z 's/\ntwo/<break>two/'; done
TELL
echo "$names" >names

mkdir -p home/.config/systemd/user
cat >home/.config/systemd/user/default.target <<UNIT
[Unit]
Wants=tell.service
UNIT
cat >home/.config/systemd/user/tell.service <<UNIT
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
WorkingDirectory=$folder
EnvironmentFile=$folder/settings
ExecStart=/bin/bash -c 'bash tell.sh >by-systemd.part && mv by-systemd.part by-systemd'
UNIT
cat >boot.sh <<'BOOT'
mount -t tmpfs none /run
mkdir -p /run/systemd/system /run/user
export XDG_RUNTIME_DIR=/run/user HOME=$PWD/home
timeout 30 /lib/systemd/systemd --user --log-target=null &
timeout 25 sh -c 'until [ -e by-systemd ]; do sleep 0.2; done'
kill $! 2>/dev/null
wait
BOOT
unshare --user --map-root-user --mount bash boot.sh >log 2>&1 || true
[ -e by-systemd ] || { echo "systemd could not be run here:" >&2; cat log >&2; exit 2; }

node_modules/.bin/node --env-file=settings -e "require('child_process').execFileSync('bash', ['tell.sh'], { stdio: 'inherit' })" >by-node

while read -r name value; do
  echo "$name: systemd $value, Node $(sed -n "s/^$name //p" by-node)"
done <by-systemd | tee seen
cat >expected <<'OUTPUT'
BARE_HASH: systemd pass#word, Node pass
BARE_BACKSLASH: systemd password, Node pass\word
DOUBLE_HASH: systemd pass#word, Node pass#word
DOUBLE_QUOTE: systemd pass"word, Node pass\
DOUBLE_BACKSLASH: systemd pass\word, Node pass\\word
DOUBLE_N: systemd one\ntwo, Node one<break>two
SINGLE: systemd pass#\\"\n$word, Node pass#\\"\n$word
SINGLE_LINES: systemd one<break>two, Node one<break>two
OUTPUT
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
echo 'of one file systemd and Node read different settings'
