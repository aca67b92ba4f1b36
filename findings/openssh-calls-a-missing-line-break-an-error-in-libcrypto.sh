#!/usr/bin/env bash
# OpenSSH 9.2 (Debian 12): a private key without the line break at its end is 'error in libcrypto', and so is one with \r\n.
#
# A key goes through forms and secrets that trim what they are given, through `$(cat key)`, which takes the last line break
# away, through Windows: then not one letter of it is wrong, and ssh, ssh-add and ssh-keygen say what sounds like a broken
# key or a broken library. ssh goes on without it to 'Permission denied', which a program that looks for words takes for the
# server's refusal. A key in OpenSSH's older form (PEM) is read either way, so that it seems to depend on the kind of key.
# Before a key is handed to OpenSSH: lines trimmed, ended by \n, the last one as well.
# Seen on 2026-12-01. Needs Debian's openssh-client. Exits with 1 when the behaviour has changed.
set -euo pipefail
for program in ssh-keygen ssh-agent ssh-add; do
  command -v $program >/dev/null || { echo "Needs Debian's openssh-client." >&2; exit 2; }
done
folder=$(mktemp -d)
agent=
trap '[ -z "$agent" ] || kill "$agent" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
ssh-keygen -q -t ed25519 -N '' -C example -f new
ssh-keygen -q -t rsa -b 2048 -m PEM -N '' -C example -f old
eval "$(ssh-agent -a "$folder/agent")" >/dev/null
agent=$SSH_AGENT_PID

added() { ssh-add -q - 2>&1 && echo 'is added' || true; }
for key in new old; do
  echo "$key, as it was made: $(added <$key)"
  echo "$key, without the last line break: $(printf %s "$(cat $key)" | added)"
  echo "$key, with \\r\\n: $(sed 's/$/\r/' $key | added)"
done | tee seen
cat >expected <<'OUTPUT'
new, as it was made: is added
new, without the last line break: Error loading key "(stdin)": error in libcrypto
new, with \r\n: Error loading key "(stdin)": error in libcrypto
old, as it was made: is added
old, without the last line break: is added
old, with \r\n: is added
OUTPUT
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
echo 'a key whose last line break was trimmed away is an error in libcrypto'
