import { isAway, isPassing } from '#platform/database/outage.js';
import type { Logger } from '#platform/logger.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';

import type { EvaluationStep } from './evaluation.service.js';

/** When what could not be judged is tried again, and what the database could not do now. */
const heldMs = 5 * 60_000;
const busyMs = 10_000;

interface Apart {
  tenantId: string;
  judge: (step: EvaluationStep) => Promise<unknown>;
  /** Has it wait, in the transaction of the sweep. */
  putBack: (until: Date) => Promise<unknown>;
}

/**
 * Judges what is one tenant's in a sweep over all. Should that fail, it is undone, told of and put back: no other tenant
 * waits for what is wrong with one, or is too much.
 */
export async function judgeApart(
  { em, now, publish }: EvaluationStep,
  logger: Logger,
  { tenantId, judge, putBack }: Apart,
): Promise<void> {
  const events: OutboxEvent[] = [];
  try {
    // Within the sweep's transaction this is a savepoint.
    await em.transactional(async (inner) =>
      judge({ em: inner, now, publish: (event) => events.push(event) }),
    );
    events.forEach(publish);
  } catch (error) {
    if (isAway(error)) throw error;
    logger.error({ err: error, tenantId }, 'a tenant could not be judged');
    await putBack(new Date(now.getTime() + (isPassing(error) ? busyMs : heldMs)));
  }
}
