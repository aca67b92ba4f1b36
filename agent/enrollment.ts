import type { Clock } from './clock.js';
import type { Stopping, Tell } from './events.js';
import type { Identity } from './identity.js';
import type { AgentLogger } from './logger.js';
import { Backoff, jittered, politeDelay } from './pace.js';
import type { Outcome, PanelClient } from './panel-client.js';
import type { EnrollAnswer, Enrollment } from './protocol.js';
import type { Random } from './random.js';

export interface EnrollmentContext {
  readonly identity: Identity;
  readonly client: PanelClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: AgentLogger;
  readonly tell: Tell;
  readonly refusedRetryMs: number;
}

/**
 * Asks until the panel takes the node in, under one key: an answer that was lost is had again, and the token is used once.
 * Answers the interval it offers in seconds. Rejects when stopped.
 */
export async function enroll(
  context: EnrollmentContext,
  enrollment: Enrollment,
  stopping: Stopping,
): Promise<number> {
  const { identity, client, clock, random, log, tell } = context;
  const backoff = new Backoff(random);
  const retryAfter = (outcome: Exclude<Outcome<EnrollAnswer>, { kind: 'ok' }>, refusedRetryMs: number) => {
    if (outcome.kind !== 'unavailable') return jittered(refusedRetryMs, random);
    return outcome.retryAfterMs === undefined ? backoff.next() : politeDelay(outcome.retryAfterMs, random);
  };
  const keyOf = async (how?: { isAnew: boolean }) => {
    for (;;) {
      const key = await identity.enrollmentKey(enrollment, how);
      if (key !== undefined) return key;
      await clock.delay(1_000 + backoff.next(), stopping.ending);
    }
  };
  let key = await keyOf();
  for (;;) {
    const outcome = await client.enroll(enrollment, key, stopping.cut);
    if (outcome.kind === 'ok') {
      await identity.adopt(outcome.answer.instanceId, outcome.answer.credential);
      log.info({ instanceId: outcome.answer.instanceId }, 'Enrolled');
      tell({ type: 'enrolled', instanceId: outcome.answer.instanceId });
      return outcome.answer.heartbeatSeconds;
    }
    stopping.cut.throwIfAborted();
    const { kind, message } = outcome;
    // What was made under it may have been deleted: it is taken in as another one then.
    if (kind === 'unauthorized') key = await keyOf({ isAnew: true });
    const isStranger = kind !== 'unauthorized' && outcome.isStranger;
    const strangeness = isStranger ? { isStranger } : {};
    const retryInMs = retryAfter(outcome, context.refusedRetryMs);
    const facts = { reason: message, retryInMs: Math.round(retryInMs) };
    if (isStranger) log.error(facts, 'What answers at this address is no panel; check the address');
    else if (kind === 'unavailable') log.warn(facts, 'The panel could not be asked to enroll this node');
    else log.error(facts, 'The panel refuses to enroll this node; check the token and the plan limit');
    if (kind === 'unavailable') tell({ type: 'enrollment-failed', message, retryInMs, ...strangeness });
    else tell({ type: 'enrollment-refused', status: outcome.status, message, retryInMs, ...strangeness });
    await clock.delay(retryInMs, stopping.ending);
  }
}
