import type { Consumer, ConsumerStep } from '#platform/outbox/consumer.js';
import type { InstanceChanged, InstanceDecommissioned, InstanceEnrolled } from '#schema/events.js';

import { lockServer, move } from '../server/move.service.js';
import { ServerPhase } from '../server/server.phases.js';
import { claimMs, enrollWithinMs } from './pace.js';

/** A server knows its node by the token with which that came in, and is ready once it beats. */
export const followNodes: Consumer = {
  topics: ['fleet.instance.enrolled', 'fleet.instance.changed', 'fleet.instance.decommissioned'],
  async handle(step) {
    switch (step.event.topic) {
      case 'fleet.instance.enrolled':
        return enrolled(step, step.event.payload as unknown as InstanceEnrolled);
      case 'fleet.instance.changed':
        return changed(step, step.event.payload as unknown as InstanceChanged);
      default:
        return decommissioned(step, step.event.payload as unknown as InstanceDecommissioned);
    }
  },
};

async function enrolled(
  step: ConsumerStep,
  { instanceId, enrollmentTokenId }: InstanceEnrolled,
): Promise<void> {
  const { em, event, now, publish } = step;
  const [row] = await em.execute<{ id: string; provider: string; providerId: string | null }[]>(
    `select id, provider, provider_id as "providerId" from hosting.server
     where tenant_id = ? and enrollment_token_id = ?`,
    [event.tenantId, enrollmentTokenId],
  );
  if (!row) return;
  // A call whose answer is not here has made it: it is found among all of the account's, with its address and its price.
  // Accounts are locked before their servers, wherever both are.
  if (row.providerId === null)
    await em.execute(
      `update hosting.provider_account set reconcile_at = least(reconcile_at, ?::timestamptz)
       where tenant_id = ? and provider = ?`,
      [new Date(now.getTime() + claimMs), event.tenantId, row.provider],
    );
  const server = await lockServer(em, event.tenantId, row.id);
  if (!server) return;
  const isOn = server.phase === ServerPhase.CREATING || server.phase === ServerPhase.BOOTING;
  // Whoever has enrolled is on, whether the provider has said so or not.
  const phase = isOn ? ServerPhase.ENROLLING : server.phase;
  move({ publish }, server, phase, now, {
    instanceId,
    sealedToken: null,
    ...(isOn ? { operationIds: [], dueAt: new Date(now.getTime() + enrollWithinMs) } : {}),
  });
  await em.flush();
}

async function changed(step: ConsumerStep, { instanceId, to }: InstanceChanged): Promise<void> {
  if (to === 'OFFLINE') return;
  const { em, event, now, publish } = step;
  const [row] = await em.execute<{ id: string }[]>(
    `select id from hosting.server where tenant_id = ? and instance_id = ?
       and (phase = 'ENROLLING' or (phase = 'FAILED' and reason = 'ENROLLMENT_TIMED_OUT'))`,
    [event.tenantId, instanceId],
  );
  const server = row && (await lockServer(em, event.tenantId, row.id));
  if (!server) return;
  move({ publish }, server, ServerPhase.READY, now, {
    readyAt: now,
    dueAt: null,
    reason: null,
    message: null,
    progress: 100,
  });
  await em.flush();
}

/** The node is gone, whoever wanted it; the server stays until it is decommissioned itself. */
async function decommissioned(step: ConsumerStep, { instanceId }: InstanceDecommissioned): Promise<void> {
  const { em, event, now, publish } = step;
  const [row] = await em.execute<{ id: string }[]>(
    'select id from hosting.server where tenant_id = ? and instance_id = ?',
    [event.tenantId, instanceId],
  );
  const server = row && (await lockServer(em, event.tenantId, row.id));
  if (!server) return;
  move({ publish }, server, server.phase, now, { instanceId: null });
  await em.flush();
}
