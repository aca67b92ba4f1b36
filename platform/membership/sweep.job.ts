import type { Clock } from '../clock.js';
import type { Database } from '../database/database.js';
import { systemEm } from '../database/system-em.js';
import type { Logger } from '../logger.js';
import { appendToOutbox, type OutboxEvent } from '../outbox/outbox.js';
import { assertHeld, type Lease } from './lease.js';
import { SingletonLoop } from './loop.js';
import type { Sweep } from './sweep.js';

/** The loop that runs one area's sweep on the lease holder. */
export function sweepLoop(
  sweep: Sweep,
  context: { database: Database; lease: Lease; clock: Clock; logger: Logger },
): SingletonLoop {
  const { database, lease, clock, logger } = context;
  return new SingletonLoop({
    name: `${database.area} ${sweep.name}`,
    lease,
    clock,
    logger,
    everyMs: sweep.everyMs,
    turn: (grant) =>
      systemEm(database).transactional(async (em) => {
        await assertHeld(em, grant);
        const events: OutboxEvent[] = [];
        const now = clock.now();
        const outcome = await sweep.run({ em, now, publish: (event) => events.push(event) });
        await em.flush();
        await appendToOutbox(em, database.area, events, { requestId: `sweep:${sweep.name}`, at: now });
        return outcome;
      }),
  });
}
