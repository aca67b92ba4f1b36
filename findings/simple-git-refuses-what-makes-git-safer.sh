#!/usr/bin/env bash
# simple-git 4.0.2 (with @simple-git/argv-parser 2.0.1): settings that switch something off are refused as if they switched
# it on.
#
# It looks at the names of settings and not at their values. Whoever closes git in before reading a repository of
# somebody else's (no hooks, no file monitor, no credential helper, none of the machine's settings) has to allow the very
# dangers that this avoids, by flags that then let every other value through as well. Hooks and monitors that the
# machine's own settings name would run otherwise, with no word of it.
# Seen on 2026-11-29 with Node 24.21.0 and git 2.39.5. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact simple-git@4.0.2

cat >try.mjs <<'PROGRAM'
import { simpleGit } from 'simple-git';

const settings = {
  'core.hooksPath=/dev/null': 'allowUnsafeHooksPath',
  'core.fsmonitor=false': 'allowUnsafeFsMonitor',
  'credential.helper=': 'allowUnsafeCredentialHelper',
};
const tell = async (name, git) =>
  git.raw(['version']).then(
    () => console.log(`${name}: runs`),
    (error) => console.log(`${name}: ${error.message}`),
  );
for (const [setting, flag] of Object.entries(settings)) {
  await tell(setting, simpleGit({ config: [setting] }));
  await tell(`${setting} and ${flag}`, simpleGit({ config: [setting], unsafe: { [flag]: true } }));
}
const environment = { GIT_CONFIG_GLOBAL: '/dev/null', PATH: process.env.PATH };
const allowEnvironment = Object.keys(environment);
await tell('GIT_CONFIG_GLOBAL=/dev/null', simpleGit({ allowEnvironment }).env(environment));
await tell('core.symlinks=false', simpleGit({ config: ['core.symlinks=false'] }));
PROGRAM

cat >expected <<'OUTPUT'
core.hooksPath=/dev/null: Configuring core.hooksPath is not permitted without enabling allowUnsafeHooksPath
core.hooksPath=/dev/null and allowUnsafeHooksPath: runs
core.fsmonitor=false: Configuring core.fsmonitor is not permitted without enabling allowUnsafeFsMonitor
core.fsmonitor=false and allowUnsafeFsMonitor: runs
credential.helper=: Configuring credential.helper is not permitted without enabling allowUnsafeCredentialHelper
credential.helper= and allowUnsafeCredentialHelper: runs
GIT_CONFIG_GLOBAL=/dev/null: Use of "GIT_CONFIG_GLOBAL" is not permitted without enabling allowUnsafeConfigPaths
core.symlinks=false: runs
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
