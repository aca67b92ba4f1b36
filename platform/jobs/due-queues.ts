import { systemClock } from '../clock.js';
import { literal } from '../database/one-message.js';
import type { Logger } from '../logger.js';
import { untilRound } from '../rounds.js';
import { jobsSchema } from './schema.js';

// PostgreSQL's notification tells of a job as it is enqueued, but not of the moment until which one waits. Each worker
// could look for its own, and with two workers to a queue and dozens of queues an idle process would look all the time.
const dueSql = (names: readonly string[]) => `
  select queue.name from unnest(array[${names.map(literal).join(', ')}]) as queue (name)
  where exists (
    select from ${jobsSchema}.job j
    where j.name = queue.name and j.state < 'active' and not j.blocked and j.start_after <= ${jobsSchema}.job_now())`;

export interface DueQueuesOptions {
  /** Asks as a role that sees the queues. */
  ask: (sql: string) => Promise<Record<string, unknown>[]>;
  names: readonly string[];
  everySeconds: number;
  logger: Logger;
  /** Told of a queue that has a job that may be done now. */
  onDue: (name: string) => void;
}

/** Looks, in one statement for all queues, for jobs that have become due: retries and delayed ones. */
export class DueQueues {
  private readonly ending = new AbortController();
  private running: Promise<void> | undefined;

  constructor(private readonly options: DueQueuesOptions) {}

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.ending.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.ending;
    while (!signal.aborted) {
      await this.look();
      await untilRound(systemClock, this.options.everySeconds * 1_000, signal);
    }
  }

  private async look(): Promise<void> {
    const { ask, names, logger, onDue } = this.options;
    try {
      for (const { name } of await ask(dueSql(names))) onDue(name as string);
    } catch (error) {
      if (!this.ending.signal.aborted) logger.warn({ err: error }, 'due jobs could not be looked for');
    }
  }
}
