import { OperatorError } from '#platform/errors.js';

import { Cluster } from './cluster.js';
import { clusterEnv } from './env.js';

const say = (words: string) => void process.stdout.write(`${words}\n`);

try {
  const cluster = await Cluster.start(clusterEnv(), say);
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
    say(`\nNo administrator yet. Open this link once to make the first one:\n  ${cluster.setupLink}`);
  say('\nCtrl-C stops all of it.');
  await new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });
  say('Stopping');
  await cluster.stop();
} catch (error) {
  if (!(error instanceof OperatorError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
