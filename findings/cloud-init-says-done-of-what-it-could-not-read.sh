#!/usr/bin/env bash
# cloud-init 22.4 (Debian 12): of JSON that is indented by tabs it does nothing, and its status is done.
#
# User data may be JSON, as JSON is YAML: `#cloud-config` and what a program printed. With tabs as indentation, which are
# right in either, the parser behind it (PyYAML) refuses the whole document. The server then starts with nothing that was
# asked for (no user, no file, no command): a line in its log, `status: done`, the exit code 0, and no error in result.json.
# Who waits for `cloud-init status --wait` takes it for set up. `cloud-init schema` does refuse the file, where somebody runs it.
# Indent by spaces, and believe what the server says by itself (a call from its last command), never cloud-init's status.
# Seen on 2026-12-01. Needs Debian's cloud-init, and root: it runs in namespaces of its own, with its files in a temporary
# folder. Exits with 1 when the behaviour has changed.
set -euo pipefail
command -v cloud-init >/dev/null && [ "$(id -u)" = 0 ] && unshare --mount --uts true 2>/dev/null ||
  { echo "Needs Debian's cloud-init, and root." >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

mkdir etc
cat >etc/cloud.cfg <<CONFIG
datasource_list: [NoCloud]
network: { config: disabled }
users: []
preserve_hostname: true
cloud_init_modules: []
cloud_config_modules: [runcmd]
cloud_final_modules: [scripts-user]
system_info: { distro: debian, paths: { cloud_dir: $folder/cloud } }
CONFIG
cat >boot.sh <<'BOOT'
mount --bind etc /etc/cloud
mount -t tmpfs none /run
mount -t tmpfs none /var/log
rm -rf cloud
mkdir -p cloud/seed/nocloud
cp user-data cloud/seed/nocloud/
echo 'instance-id: example' >cloud/seed/nocloud/meta-data
for stage in 'init --local' init 'modules --mode=config' 'modules --mode=final'; do
  cloud-init $stage >>log 2>&1
done
cloud-init status >status && code=0 || code=$?
errors=$(python3 -c 'import json; print(json.load(open("/run/cloud-init/result.json"))["v1"]["errors"])')
echo "$(cat status), exit code $code, errors $errors"
BOOT

for indent in spaces tabs; do
  [ $indent = spaces ] && sign='  ' || sign=$'\t'
  printf '#cloud-config\n{\n%s"runcmd": [["touch", "%s"]]\n}\n' "$sign" "$folder/was-run" >user-data
  rm -f was-run
  told=$(timeout 60 unshare --mount --uts bash boot.sh)
  echo "$indent: the command was $([ -e was-run ] && echo run || echo 'not run'); $told"
  if timeout 60 cloud-init schema --config-file user-data >/dev/null 2>&1; then verdict=passes; else verdict=fails; fi
  echo "$indent: cloud-init schema $verdict"
done | tee seen
cat >expected <<'OUTPUT'
spaces: the command was run; status: done, exit code 0, errors []
spaces: cloud-init schema passes
tabs: the command was not run; status: done, exit code 0, errors []
tabs: cloud-init schema fails
OUTPUT
diff expected seen || { cat log >&2; echo 'The behaviour has changed.' >&2; exit 1; }
echo 'cloud-init is done with what it could not read'
