import { OperatorError } from '#platform/errors.js';

import { Cluster } from './cluster.js';
import { drill } from './drill/drill.js';
import { faults } from './drill/faults.js';
import { clusterEnv } from './env.js';

const [, , task, ...named] = process.argv;
const isDrill = task === 'drill';
const say = (words: string) => void process.stdout.write(`${words}\n`);

try {
  const unknown = named.filter((name) => !faults.some(({ key }) => key === name));
  if ((task !== undefined && !isDrill) || unknown.length > 0)
    throw new OperatorError(
      `usage: npm run cluster [-- drill [FAULT ...]]\nfaults, all unless named: ${faults.map(({ key }) => key).join(' ')}`,
    );
  const chosen = faults.filter(({ key }) => named.length === 0 || named.includes(key));
  // The drill is one tenant with more than one tenant's calls.
  const limits = { RATE_LIMIT_PER_MINUTE: '1000000' };
  const cluster = await Cluster.start(clusterEnv(), say, isDrill ? limits : {});
  const { topology } = cluster;
  say(`
Quazzar Control Panel on "many machines"
  ${topology.publicUrl}                  three panels behind haproxy
  GraphQL and GraphiQL:                  ${topology.publicUrl}/graphql
  the panels themselves:                 ${[1, 2, 3].map((n) => topology.at('panel', n)).join(', ')}
  PostgreSQL, its primary:               ${topology.at('primary')} (a replica: ${topology.at('replica')})
  by pgbouncer:                          ${topology.at('pgbouncer')}
  Patroni (GET /cluster):                ${[1, 2, 3].map((n) => topology.at('patroni', n)).join(', ')}
  Redis, its master:                     ${topology.at('redis')}
  passwords, as files:                   ${cluster.place.secrets}`);
  if (cluster.setupLink)
    say(
      `\nNo administrator yet. Open this link once, within 24 hours, to make the first one:\n  ${cluster.setupLink}`,
    );
  const stopped = new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });
  if (isDrill) {
    say('\nMaking faults under load: some 40 s for each. Ctrl-C stops all of it.');
    const drilled = drill(cluster, chosen, say).then((held) => {
      process.exitCode = held ? 0 : 1;
    });
    // One that is stopped fails at whatever it was at.
    const failed = drilled.catch((error: unknown) => {
      say(
        `The drill could not go on: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
      process.exitCode = 1;
    });
    await Promise.race([failed, stopped]);
  } else {
    say('\nCtrl-C stops all of it.');
    await stopped;
  }
  say('Stopping');
  await cluster.stop();
  process.exit();
} catch (error) {
  if (!(error instanceof OperatorError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
