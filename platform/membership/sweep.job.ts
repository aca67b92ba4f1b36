import type { Clock } from '../clock.js';
import type { Database } from '../database/database.js';
import { patience } from '../database/patience.js';
import { systemEm } from '../database/system-em.js';
import { JobBatch } from '../jobs/enqueue.js';
import type { Logger } from '../logger.js';
import { appendToOutbox, type OutboxEvent } from '../outbox/outbox.js';
import { traced } from '../telemetry/tracing.js';
import { isDue } from './is-due.job.js';
import { assertHeld, type Grant, type Lease } from './lease.js';
import { SingletonLoop } from './loop.js';
import type { Sweep } from './sweep.js';
import type { Turns } from './turns.js';

/** The loop that runs one area's sweep on the lease holder. */
export function sweepLoop(
  sweep: Sweep,
  context: {
    database: Database;
    lease: Lease;
    clock: Clock;
    logger: Logger;
    longTurns: Turns;
  },
): SingletonLoop {
  const { database, lease, clock, logger, longTurns } = context;
  const runOnce = async (grant: Grant) =>
    systemEm(database).transactional(async (em) => {
      await assertHeld(em, grant);
      const events: OutboxEvent[] = [];
      const jobs = new JobBatch();
      const now = clock.now();
      const publish = (event: OutboxEvent) => events.push(event);
      const outcome = await sweep.run({ em, now, publish, enqueue: jobs.enqueue });
      await em.flush();
      const requestId = `sweep:${sweep.name}`;
      await appendToOutbox(em, database.area, events, { requestId, at: now });
      await jobs.send(em, database.area, { requestId });
      return outcome;
    });
  return new SingletonLoop({
    name: `${database.area} ${sweep.name}`,
    lease,
    clock,
    logger,
    everyMs: sweep.everyMs,
    ...(sweep.isLong ? { deadlines: patience.long } : {}),
    turn: async (grant, ending) => {
      const { due } = sweep;
      if (due !== undefined) {
        const now = clock.now();
        // It is time to ask again where the answer took as long as a pause.
        if (!(await isDue(database, due, now, logger)))
          return clock.now().getTime() - now.getTime() < sweep.everyMs ? 'done' : 'more';
      }
      // Waiting for its turn is no part of it, and a stop may have begun meanwhile.
      const run = async () =>
        ending.aborted
          ? 'done'
          : traced(`sweep ${database.area}.${sweep.name}`, {}, async () => runOnce(grant));
      return sweep.isLong ? longTurns.run(run) : run();
    },
  });
}
