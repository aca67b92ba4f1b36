import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Cluster } from '../cluster.js';
import type { Supervised } from '../supervisor.js';
import type { Client } from './client.js';
import {
  hasFailedOver,
  wasDegraded,
  wasDegradedFor,
  wasMissed,
  wasReplaced,
  wasThere,
  type Reflection,
} from './ha-watch.js';
import { restartPanels, upgradePanels } from './rolling.js';

export interface Fault {
  /** As `npm run cluster -- drill` is asked for it alone. */
  key: string;
  name: string;
  /** How long it lasts by itself, in seconds; the pause of writes is looked at from its beginning on. */
  make: (cluster: Cluster, client: Client) => Promise<void>;
  /** How long writes may stand still, in seconds; undefined where that is as long as the fault lasts. */
  within?: number;
  /** Whether no request may fail, over connections that are kept: what is planned is noticed by nobody. */
  isUnnoticed?: boolean;
  /** What has to be seen of it at /api/cc/ha/*, besides that all is well again afterwards. */
  reflected: readonly Reflection[];
}

const away = 30_000;

/** How to read this table: faults in the order in which they are made, each after the cluster is whole again. */
export const faults: readonly Fault[] = [
  { key: 'switchover', name: 'switchover', within: 4, reflected: [hasFailedOver], make: switchOver },
  {
    key: 'kill-postgres',
    name: "kill -9 of the primary's PostgreSQL",
    within: 20,
    // Patroni starts it again, or has another one take over.
    reflected: [wasMissed],
    make: async (cluster) => {
      process.kill(postmasterOf(await memberThatIs(cluster, 'leader')), 'SIGKILL');
    },
  },
  {
    key: 'kill-primary',
    name: 'kill -9 of the primary and its Patroni, away for 30 s',
    within: 20,
    reflected: [hasFailedOver, wasDegraded],
    make: async (cluster) => lose(await memberThatIs(cluster, 'leader')),
  },
  {
    key: 'kill-standby',
    name: 'kill -9 of the synchronous standby and its Patroni, away for 30 s',
    // Commits wait for it until Patroni has them wait for another one.
    within: 12,
    // Patroni forgets it after its ttl of 15 s.
    reflected: [wasDegradedFor(10), wasThere],
    make: async (cluster) => lose(await memberThatIs(cluster, 'sync_standby')),
  },
  {
    key: 'freeze-primary',
    name: 'SIGSTOP of the primary and its Patroni for 30 s',
    // The dead are refused at once, the frozen are waited for: 2 s by whoever wants to lead, and by haproxy.
    within: 24,
    reflected: [hasFailedOver, wasDegraded],
    make: async (cluster) => {
      const frozen = await memberThatIs(cluster, 'leader');
      const all = [frozen.pid!, ...treeOf(postmasterOf(frozen))];
      for (const pid of all) trySignal(pid, 'SIGSTOP');
      await sleep(away);
      for (const pid of all) trySignal(pid, 'SIGCONT');
    },
  },
  {
    key: 'lose-quorum',
    name: "etcd's quorum lost for 30 s",
    reflected: [wasMissed],
    make: async (cluster) => {
      const lost = ['etcd-1', 'etcd-2'].map((name) => cluster.process(name));
      for (const one of lost) one.hold();
      for (const one of lost) one.signal('SIGKILL');
      await sleep(away);
      for (const one of lost) one.resume();
    },
  },
  ...[1, 2, 3].map((n) => ({
    key: `kill-panel-${n}`,
    name: `kill -9 of panel-${n}`,
    within: 4,
    reflected: [wasReplaced(`panel-${n}`)],
    make: async (cluster: Cluster) => cluster.process(`panel-${n}`).signal('SIGKILL'),
  })),
  {
    key: 'lose-redis',
    name: 'both Redis away for 15 s',
    within: 4,
    reflected: [wasThere],
    make: async (cluster) => {
      const lost = ['redis-1', 'redis-2'].map((name) => cluster.process(name));
      for (const one of lost) one.hold();
      for (const one of lost) one.signal('SIGKILL');
      await sleep(away / 2);
      for (const one of lost) one.resume();
    },
  },
  {
    key: 'rolling-restart',
    name: 'SIGTERM of each panel, one after the other',
    within: 4,
    isUnnoticed: true,
    reflected: [...[1, 2, 3].map((n) => wasReplaced(`panel-${n}`)), wasThere],
    make: restartPanels,
  },
  {
    key: 'rolling-upgrade',
    name: 'POST /api/cc/ha/upgrade to another version',
    within: 4,
    isUnnoticed: true,
    reflected: [...[1, 2, 3].map((n) => wasReplaced(`panel-${n}`)), wasThere],
    make: upgradePanels,
  },
];

/** Its machine is gone for a while. */
async function lose(lost: Supervised): Promise<void> {
  const postmaster = postmasterOf(lost);
  lost.hold();
  lost.signal('SIGKILL');
  process.kill(postmaster, 'SIGKILL');
  await sleep(away);
  lost.resume();
}

async function switchOver(cluster: Cluster): Promise<void> {
  const members = await cluster.members();
  const leader = members.find(({ role }) => role === 'leader')!.name;
  const candidate = members.find(({ role }) => role === 'sync_standby')!.name;
  const password = readFileSync(cluster.topology.secret('patroni_password'), 'utf8');
  const response = await fetch(`http://${cluster.topology.at('patroni', Number(leader.at(-1)))}/switchover`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Basic ${Buffer.from(`patroni:${password}`).toString('base64')}`,
    },
    body: JSON.stringify({ leader, candidate }),
  });
  if (!response.ok) throw new Error(`switchover: ${response.status} ${await response.text()}`);
}

async function memberThatIs(cluster: Cluster, wanted: 'leader' | 'sync_standby'): Promise<Supervised> {
  const found = (await cluster.members()).find(({ role }) => role === wanted);
  if (!found) throw new Error(`there is no ${wanted}`);
  return cluster.process(found.name);
}

function postmasterOf({ member }: Supervised): number {
  const file = join(member.settings['STATE_DIR']!, 'data', 'postmaster.pid');
  return Number(readFileSync(file, 'utf8').split('\n')[0]);
}

/** The process and those that it has started. */
function treeOf(pid: number): number[] {
  const children = execFileSync('/bin/sh', ['-c', `pgrep -P ${pid} || true`], { encoding: 'utf8' });
  return [pid, ...children.split('\n').filter(Boolean).map(Number)];
}

function trySignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}
