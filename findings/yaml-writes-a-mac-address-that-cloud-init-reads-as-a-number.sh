#!/usr/bin/env bash
# yaml 2.9.1 and cloud-init 22.4 (Debian 12): a network configuration for 52:54:00:12:34:56 is one for the card 41135085296.
#
# npm's yaml writes bare what is text by YAML 1.2, and cloud-init reads by YAML 1.1, where digits with colons are a number to
# the base of 60. So a MAC address that happens to have no letter and no part above 59 becomes a number, goes into the
# server's network files as such, and no card has it: the server is up and nobody reaches it. QEMU's cards begin with
# 52:54:00, so of one in some eighty machines that is so, and of all others it never is; no test with aa:bb:cc finds it.
# `on`, 1_000 and 12:30 turn into something else in the same way, wherever Python reads what yaml wrote.
# Write with `compat: 'yaml-1.1'`, which puts quotes where YAML 1.1 needs them, or write JSON, indented by spaces.
# Seen on 2026-12-01 with Node 24.21.0. Needs Debian's cloud-init, whose own converter it asks. Exits with 1 when the behaviour
# has changed.
set -euo pipefail
command -v cloud-init >/dev/null || { echo "Needs Debian's cloud-init." >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact yaml@2.9.1

cat >write.mjs <<'PROGRAM'
import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';

const network = (macaddress) => ({
  version: 2,
  ethernets: { lan: { match: { macaddress }, 'set-name': 'lan0', addresses: ['192.0.2.7/24'] } },
});
writeFileSync('letters', stringify(network('52:54:00:ab:34:56')));
writeFileSync('digits', stringify(network('52:54:00:12:34:56')));
writeFileSync('digits, compat', stringify(network('52:54:00:12:34:56'), { compat: 'yaml-1.1' }));
writeFileSync('digits, JSON', JSON.stringify(network('52:54:00:12:34:56'), undefined, 2));
PROGRAM
node write.mjs

for file in letters digits 'digits, compat' 'digits, JSON'; do
  timeout 60 cloud-init devel net-convert --network-data "$file" --kind yaml --output-kind networkd --distro debian \
    --directory "made $file" >log 2>&1 || { cat log >&2; exit 1; }
  echo "$file: $(grep -rh '^MACAddress=' "made $file")"
done | tee seen
cat >expected <<'OUTPUT'
letters: MACAddress=52:54:00:ab:34:56
digits: MACAddress=41135085296
digits, compat: MACAddress=52:54:00:12:34:56
digits, JSON: MACAddress=52:54:00:12:34:56
OUTPUT
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
echo 'a MAC address without letters is a number on its way from yaml to cloud-init'
