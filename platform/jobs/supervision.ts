import type { Db, PgBoss } from 'pg-boss';

import { systemClock } from '../clock.js';
import { literal } from '../database/one-message.js';
import { untilRound } from '../rounds.js';
import { jobsSchema, keptFailedSeconds } from './schema.js';

// However quiet it is: jobs that are too old are removed by the same pass.
const atLeastEveryMs = 600_000;
// Of two looks one is at counts that were made after what stirred it: another process may have counted just before.
const looksAfterAll = 2;

// A queue has one time for all its jobs: of the few that failed each is told its own.
const keepFailed = `update ${jobsSchema}.job set deletion_seconds = ${keptFailedSeconds}
  where state = 'failed' and deletion_seconds < ${keptFailedSeconds}`;

interface Supervised {
  boss: PgBoss;
  db: Db;
  names: string[];
  everySeconds: number;
  ask: (sql: string) => Promise<unknown[]>;
}

/**
 * Has pg-boss look for jobs whose process died or whose time is over, and count them, for as long as there are any. Its own
 * timer would go through all jobs that are kept four times a minute in every process, and write to each queue's row, whether
 * there is anything to do or not. One cheap question takes its place while no job is under way.
 */
export class Supervision {
  /** How often to look yet. */
  private looks = 0;
  private readonly ending = new AbortController();
  private running: Promise<void> | undefined;

  constructor(
    private readonly supervised: Supervised,
    private readonly onError: (error: unknown) => void,
  ) {}

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.ending.abort();
    await this.running;
  }

  /** There is, or was, a job since the last look. */
  stir(): void {
    this.looks = looksAfterAll;
  }

  private async run(): Promise<void> {
    const { signal } = this.ending;
    const { boss, db, names, everySeconds } = this.supervised;
    let lookedAt = performance.now();
    while (!signal.aborted) {
      await untilRound(systemClock, everySeconds * 1_000, signal);
      if (signal.aborted) return;
      // Nobody tells of a job that was put off until now, which another process may have begun and died at.
      if (this.looks === 0 && (await this.isAnyActive())) this.stir();
      if (this.looks === 0 && performance.now() - lookedAt < atLeastEveryMs) continue;
      this.looks = Math.max(0, this.looks - 1);
      lookedAt = performance.now();
      try {
        await db.executeSql(keepFailed);
        await boss.supervise();
        const queues = await boss.getQueues(names);
        if (queues.some(({ activeCount }) => activeCount > 0)) this.stir();
      } catch (error) {
        this.stir();
        this.onError(error);
      }
    }
  }

  /** Also where it is not to be seen: the look that follows tells why. */
  private async isAnyActive(): Promise<boolean> {
    const { ask, names } = this.supervised;
    const active = `select name from ${jobsSchema}.job
      where state = 'active' and name in (${names.map(literal).join(', ')}) limit 1`;
    return ask(active).then(
      (found) => found.length > 0,
      () => true,
    );
  }
}
