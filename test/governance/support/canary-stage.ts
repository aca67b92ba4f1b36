import { expect } from 'vitest';

import { Turns } from '#platform/membership/turns.js';

import { TestClock } from '../../support/clock.js';
import { until, World, type Tenant } from '../../support/world.js';
import { Worker, type Canary } from './canaries.js';
import type { Edges } from './edges.js';
import { create } from './tenant.js';

export const longMs = 240_000;
/** How often all nodes beat. */
const everyMs = 15_000;
const before = '0.2.9';
const whole = [{ percent: 100, bake_seconds: 2 }];
export const half = [{ percent: 50, bake_seconds: 2 }];
export const both = [
  { percent: 50, bake_seconds: 2 },
  { percent: 100, bake_seconds: 0 },
];
const watched = [{ percent: 100, bake_seconds: 30 }];
const long = [{ percent: 100, bake_seconds: 3_600 }];
const longHalf = [{ percent: 50, bake_seconds: 3_600 }];

/** Whose steps wait for somebody: the first of two, and the only one. */
const asking = [
  { percent: 50, bake_seconds: 0, waits: true },
  { percent: 100, bake_seconds: 0 },
];
const askingLast = [{ percent: 100, bake_seconds: 0, waits: true }];

type Steps = { percent: number; bake_seconds: number; waits?: boolean }[];
type End = 'succeeded' | 'rolled_back' | 'failed';
/** What a version does to a node. */
type Kind = 'good' | 'failing' | 'harmful' | 'forbidden' | 'final';

type JobEdge = [at: string, Steps, End, { kind?: Kind; isAborted?: boolean }?];

/** Each write by which a job moves a canary on, as the edge that it is stopped at, and where all then ends. */
export const jobEdges: readonly JobEdge[] = [
  ['PENDING to RUNNING', whole, 'succeeded'],
  ['command claimed', whole, 'succeeded'],
  ['command sent', whole, 'succeeded'],
  ['command known', whole, 'succeeded'],
  ['command ended', whole, 'succeeded'],
  ['RUNNING to BAKING', whole, 'succeeded'],
  ['BAKING to RUNNING', both, 'succeeded'],
  ['BAKING to PROMOTING', half, 'succeeded'],
  ['command prepared PROMOTING', half, 'succeeded'],
  ['PROMOTING to SUCCEEDED', half, 'succeeded'],
  ['BAKING to SUCCEEDED', whole, 'succeeded'],
  ['RUNNING to PAUSED', whole, 'rolled_back', { kind: 'forbidden' }],
  ['RUNNING to ABORTING', whole, 'rolled_back', { kind: 'failing' }],
  ['BAKING to ABORTING', watched, 'rolled_back', { kind: 'harmful' }],
  ['rollback prepared ABORTING', long, 'rolled_back', { isAborted: true }],
  ['rollback claimed', long, 'rolled_back', { isAborted: true }],
  ['rollback sent', long, 'rolled_back', { isAborted: true }],
  ['rollback known', long, 'rolled_back', { isAborted: true }],
  ['rollback ended', long, 'rolled_back', { isAborted: true }],
  ['ABORTING to ROLLED_BACK', long, 'rolled_back', { isAborted: true }],
  ['ABORTING to FAILED', long, 'failed', { kind: 'final', isAborted: true }],
];

/** And each by which people do. */
export const actions = [
  ['pending', 'abort', 'aborting'],
  ['running', 'pause', 'paused'],
  ['running', 'promote', 'promoting'],
  ['running', 'abort', 'aborting'],
  ['baking', 'pause', 'paused'],
  ['baking', 'promote', 'promoting'],
  ['baking', 'abort', 'aborting'],
  ['promoting', 'pause', 'paused'],
  ['promoting', 'abort', 'aborting'],
  ['paused', 'resume', 'baking'],
  ['paused', 'promote', 'promoting'],
  ['paused', 'abort', 'aborting'],
  ['awaiting', 'resume', 'running'],
  ['awaiting at last', 'resume', 'succeeded'],
] as const;

/** The edge at which what people do is stopped. */
export const edgeOf = ([from, , to]: (typeof actions)[number]) =>
  `${from.startsWith('awaiting') ? 'PAUSED' : from.toUpperCase()} to ${to.toUpperCase()}`;

export interface Scene {
  id: string;
  version: string;
  all: Worker[];
  end: End;
  kind: Kind;
  /** Of those that people move. */
  action?: (typeof actions)[number];
}

/** A world whose panel moves, and the nodes of it, which work for as long as it is. */
export class Stage implements AsyncDisposable {
  readonly world: World;
  tenant!: Tenant;
  readonly scenes: Scene[] = [];
  private numbers = 0;
  /** A panel that has just begun has few connections yet. */
  private readonly turns = new Turns(2);
  private isOver = false;
  private readonly working: Promise<void>;

  constructor(
    url: string,
    /** Where it is looked up what has come to be: dozens of scenes that ask a panel keep it from its work. */
    private readonly edges: Edges,
  ) {
    this.world = new World(url, new TestClock());
    this.working = this.work();
  }

  moveTo(url: string): void {
    Object.assign(this.world, { url });
  }

  /** Nodes, and a canary on them. */
  async canary(
    count: number,
    steps: Steps,
    {
      kind = 'good',
      isAway = false,
      startsInMs = 5_000,
    }: { kind?: Kind; isAway?: boolean; startsInMs?: number } = {},
  ): Promise<Scene> {
    const number = (this.numbers += 1);
    const version = kind === 'forbidden' ? '6.6.6' : `1.${number}.0`;
    const all: Worker[] = [];
    for (let at = 0; at < count; at += 1) {
      const worker = new Worker(await this.turns.run(async () => this.tenant.node()), (told) => ({
        fails: (kind === 'failing' && told === version) || (kind === 'final' && told === before),
        ...(kind === 'harmful' && told === version ? { beat: { cpu_percent: 97 } } : {}),
      }));
      await worker.turn();
      all.push(worker);
    }
    const scene: Scene = { id: '', version, all, end: 'succeeded', kind };
    for (const worker of all) worker.isAway = isAway;
    this.scenes.push(scene);
    const ids = all.map(({ node }) => node.id);
    await until(
      async () =>
        (await this.edges.sql('select 1 from governance.node where id = any($1)', [ids])).length === count,
      'governance to know the nodes',
      longMs,
    );
    const answer = await this.turns.run(async () =>
      this.tenant.rest<Canary>('/api/governance/canary', {
        body: {
          name: version,
          command: 'update',
          params: { version },
          steps,
          applies_to: { instance_ids: ids },
          analysis: { interval_seconds: 5 },
          // From when it is made: its nodes may have taken longer than that.
          start_at: new Date(Date.now() + startsInMs).toISOString(),
        },
      }),
    );
    if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`);
    scene.id = answer.body.id;
    return scene;
  }

  async act(id: string, action: string) {
    return this.tenant.rest<Canary>(`/api/governance/canary/${id}`, { method: 'PUT', body: { action } });
  }

  async statuses(): Promise<ReadonlyMap<string, string>> {
    const rows = await this.edges.sql<{ id: string; status: string }>(
      'select id, lower(status) as status from governance.canary',
    );
    return new Map(rows.map(({ id, status }) => [id, status]));
  }

  async reaches(id: string, status: string): Promise<void> {
    await until(
      async () =>
        (
          await this.edges.sql('select 1 from governance.canary where id = $1 and lower(status) = $2', [
            id,
            status,
          ])
        ).length > 0,
      `a canary to be ${status}`,
      longMs,
    );
  }

  /** Brings a canary to where people can do this to it. */
  async at(action: (typeof actions)[number]): Promise<Scene> {
    const [from, , to] = action;
    const scene = await this.placed(from);
    Object.assign(scene, { action, end: to === 'aborting' ? 'rolled_back' : 'succeeded' });
    return scene;
  }

  private async placed(from: (typeof actions)[number][0]): Promise<Scene> {
    if (from === 'pending') return this.canary(1, whole, { startsInMs: 3_600_000 });
    if (from === 'awaiting' || from === 'awaiting at last') {
      const scene = await this.canary(2, from === 'awaiting' ? asking : askingLast);
      await this.reaches(scene.id, 'paused');
      return scene;
    }
    const scene =
      from === 'running'
        ? await this.canary(1, whole, { isAway: true })
        : await this.canary(2, from === 'promoting' ? longHalf : long);
    await this.reaches(scene.id, from === 'running' ? 'running' : 'baking');
    if (from === 'promoting') {
      for (const worker of scene.all) worker.isAway = worker.done.length === 0;
      await this.moved(scene.id, 'promote', from);
      await until(
        async () => (await this.members(scene.id)).join() === 'SENT,UPDATED',
        'the others to have it sent',
        longMs,
      );
    }
    if (from === 'paused') await this.moved(scene.id, 'pause', from);
    return scene;
  }

  private async moved(id: string, action: string, to: string): Promise<void> {
    const { status, text, body } = await this.act(id, action);
    if (body.status !== to) throw new Error(`${status} ${text}`);
  }

  private async members(id: string): Promise<string[]> {
    const rows = await this.edges.sql<{ status: string }>(
      'select status from governance.canary_member where canary_id = $1 order by status',
      [id],
    );
    return rows.map(({ status }) => status);
  }

  /**
   * All beat now and then, before they are taken for lost however busy the machine is; in between those alone that have
   * something to do, or to tell.
   */
  private async work(): Promise<void> {
    const haveNews = new Set<Worker>();
    const turns = new Turns(4);
    const turn = async (worker: Worker) => {
      const done = worker.done.length;
      // While no panel is there nobody hears them.
      const isHeard = await worker.turn().then(
        () => true,
        () => false,
      );
      if (worker.done.length > done) haveNews.add(worker);
      else if (isHeard) haveNews.delete(worker);
    };
    for (let allAt = 0; !this.isOver;) {
      const isForAll = Date.now() > allAt + everyMs;
      if (isForAll) allAt = Date.now();
      const told = isForAll ? undefined : await this.told();
      const due = this.scenes
        .flatMap(({ all }) => all)
        .filter((worker) => !told || told.has(worker.node.id) || haveNews.has(worker));
      await Promise.all(due.map(async (worker) => turns.run(async () => turn(worker))));
      await new Promise((resolve) => setTimeout(resolve, 2_000));
    }
  }

  /** The nodes that have a command which they have not ended. */
  private async told(): Promise<ReadonlySet<string>> {
    const rows = await this.edges.sql<{ id: string }>(
      'select distinct instance_id as id from fleet.command_invocation where finished_at is null',
    );
    return new Set(rows.map(({ id }) => id));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isOver = true;
    await this.working;
  }
}

/** Has a version be forbidden everywhere. */
export async function forbid(tenant: Tenant, version: string): Promise<void> {
  await create(tenant, {
    name: 'Not that one',
    enforcement: 'MANDATORY',
    rule: { condition: 'cloud_os.version', operator: 'not_equals', value: version },
  });
}

/** That each instance has done what it was told once, and runs what it should. */
export function expectOnce({ all, version, end, kind }: Scene): void {
  const [once, undone] = [[version], [version, before]];
  const byEnd = { succeeded: [once], failed: [undone], rolled_back: [[], undone] }[end];
  const possible = kind === 'forbidden' ? [[]] : kind === 'good' || kind === 'final' ? byEnd : [undone];
  for (const worker of all) {
    expect(possible).toContainEqual(worker.done);
    expect(worker.version).toBe(end === 'rolled_back' ? before : version);
  }
}
