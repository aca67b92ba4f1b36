import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { stopPostmaster } from '#platform/database/embedded/postmaster.js';
import { postgresProcesses } from '#platform/database/embedded/processes.js';
import { OperatorError } from '#platform/errors.js';
import { assetPath, packageRoot } from '#platform/package-root.js';

import type { ClusterEnv } from './env.js';
import { makeSecrets, preparePlace, type Place } from './place.js';
import { requirePrograms } from './programs.js';
import { Supervised } from './supervisor.js';
import { portsTaken, Topology } from './topology.js';

// On a slow machine three PostgreSQLs are made one from another.
const databaseWithinMs = 180_000;
const panelsWithinMs = 180_000;

/** A member as Patroni's GET /cluster has it. */
export interface PatroniMember {
  name: string;
  role: 'leader' | 'sync_standby' | 'replica' | 'standby_leader';
  state: string;
  timeline?: number;
  /** Bytes. */
  lag?: number | 'unknown';
}

/** The many-machines deployment as processes of one machine, on loopback. */
export class Cluster implements AsyncDisposable {
  readonly processes = new Map<string, Supervised>();

  private constructor(
    readonly place: Place,
    readonly topology: Topology,
  ) {}

  /** Starts everything and waits for it; `say` is told how far it is. */
  static async start(
    env: ClusterEnv,
    say: (words: string) => void,
    panelSettings: Record<string, string> = {},
  ): Promise<Cluster> {
    requirePrograms();
    await requireFreePorts(env.PORT);
    const place = preparePlace(env.DATA_DIR);
    const topology = new Topology(env.PORT, place);
    makeSecrets(place, topology.addresses);
    const cluster = new Cluster(place, topology);
    try {
      say(`Data and logs are in ${place.folder}`);
      say('Starting etcd, Patroni with PostgreSQL, Redis with Sentinel, haproxy, pgbouncer');
      for (const member of topology.engines()) cluster.launch(new Supervised(member, place));
      await cluster.untilDatabase();
      say('PostgreSQL has a primary. Migrating');
      await cluster.migrate();
      say('Starting three panels');
      for (const { settings, ...member } of topology.panels(env.LOG_LEVEL))
        cluster.launch(new Supervised({ ...member, settings: { ...settings, ...panelSettings } }, place));
      await cluster.untilPanels();
      say('Waiting for the standbys');
      await cluster.untilStandbys();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  process(name: string): Supervised {
    const found = this.processes.get(name);
    if (!found) throw new Error(`the cluster has no ${name}`);
    return found;
  }

  /** The one-time link for making the first administrator, as one of the panels has told it. */
  get setupLink(): string | undefined {
    const links = [...this.processes.values()]
      .filter(({ member }) => member.program === 'panel')
      .flatMap(({ log }) => readFileSync(log, 'utf8').match(/https?:\/\/\S+\/setup#\S+/g) ?? []);
    return links.at(-1);
  }

  /** Panels first, since the others are what they need. */
  async stop(): Promise<void> {
    const all = [...this.processes.values()].reverse();
    const of = (...programs: string[]) => all.filter(({ member }) => programs.includes(member.program));
    for (const group of [
      of('panel'),
      of('pgbouncer', 'haproxy', 'sentinel', 'redis'),
      of('patroni'),
      // One after the other: each hands the leadership on to one that is still there.
      ...of('etcd').map((member) => [member]),
    ])
      await Promise.all(group.map((process) => process.stop()));
    await Promise.all(
      [1, 2, 3].map((n) => endLeftDatabase(join(this.place.folder, `postgres-${n}`, 'data'))),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  private launch(process: Supervised): void {
    this.processes.set(process.name, process);
    process.start();
  }

  private async untilDatabase(): Promise<void> {
    const isPrimary = async (n: number) =>
      (await answers(`http://${this.topology.at('patroni', n)}/primary`)) &&
      (await listens(this.topology.port('primary')));
    await this.until(databaseWithinMs, 'PostgreSQL has no primary', async () =>
      (await Promise.all([1, 2, 3].map(isPrimary))).includes(true),
    );
  }

  private async untilPanels(): Promise<void> {
    await this.until(panelsWithinMs, 'the panels are not ready', async () =>
      (await Promise.all([1, 2, 3].map((n) => this.isReady(`panel-${n}`)))).every(Boolean),
    );
    await this.until(panelsWithinMs, 'haproxy sends nobody to the panels', () =>
      answers(`${this.topology.publicUrl}/readyz`),
    );
  }

  /** Until what is written is on two machines, and a third one follows. */
  private async untilStandbys(): Promise<void> {
    await this.until(databaseWithinMs, 'the standbys do not follow', async () => {
      const members = await this.members();
      const roles = members
        .filter(({ state }) => /^(running|streaming)$/.test(state))
        .map(({ role }) => role);
      return roles.length === 3 && roles.includes('sync_standby');
    });
  }

  /** Until everything is there again, and clients are answered. */
  async untilWhole(withinMs: number): Promise<void> {
    await this.until(
      withinMs,
      'the primary does not answer',
      async () => (await this.members()).length === 3,
    );
    await this.untilStandbys();
    await this.untilPanels();
  }

  /** Whether a panel serves. */
  async isReady(name: string): Promise<boolean> {
    return answers(`http://${this.topology.at('panel', Number(name.at(-1)))}/readyz`);
  }

  /** What Patroni says of its members; empty while nobody answers. */
  async members(): Promise<PatroniMember[]> {
    for (const n of [1, 2, 3]) {
      try {
        const signal = AbortSignal.timeout(2_000);
        const response = await fetch(`http://${this.topology.at('patroni', n)}/cluster`, { signal });
        const { members } = (await response.json()) as { members: PatroniMember[] };
        return members;
      } catch {
        // The next one knows as much.
      }
    }
    return [];
  }

  private async until(ms: number, complaint: string, isSo: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + ms;
    while (!(await isSo())) {
      const failing = [...this.processes.values()].find(({ endings }) => endings >= 30);
      if (performance.now() < end && !failing) await sleep(250);
      else {
        const why = failing
          ? `${failing.name} ends again and again, see ${failing.log}`
          : `see ${this.place.logs}`;
        throw new OperatorError(
          `After ${Math.round((performance.now() - end + ms) / 1000)} s ${complaint}: ${why}.`,
        );
      }
    }
  }

  private async migrate(): Promise<void> {
    const { topology } = this;
    const child = spawn(process.execPath, [assetPath('dist', 'panel', 'migrate.js')], {
      cwd: packageRoot,
      env: { PATH: process.env['PATH'], ...topology.panelSettings(), ...topology.ownerSettings() },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const code = await new Promise((resolve) => child.once('exit', resolve));
    if (code !== 0) throw new OperatorError('The database could not be migrated.');
  }
}

/** Ends the server that Patroni was just starting when it was told to end: it ends without it (3.0.2). */
async function endLeftDatabase(folder: string): Promise<void> {
  // One that was made just now has not written its pid yet.
  for (const end = performance.now() + 30_000; performance.now() < end; await sleep(100)) {
    if (postgresProcesses(folder).length === 0) return;
    await stopPostmaster(folder, { patience: 'short' });
  }
  throw new OperatorError(`A PostgreSQL still uses ${folder}.`);
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

async function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function requireFreePorts(first: number): Promise<void> {
  const ports = Array.from({ length: portsTaken }, (_, offset) => first + offset);
  const taken: number[] = [];
  for (const port of ports) if (await listens(port)) taken.push(port);
  if (taken.length === 0) return;
  throw new OperatorError(
    `The cluster takes the ports ${first} to ${first + portsTaken - 1} of loopback, of which ${taken.join(', ')} are in use. ` +
      'Stop what listens there (another cluster?), or set PORT to another first one.',
  );
}
