import { LockMode } from '@mikro-orm/core';

import { ApiError } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import type { InstanceChanged } from '#schema/events.js';

import { Instance } from '../instance/instance.entity.js';

/** Takes the word of nodes that stop. */
export class DepartureService {
  /**
   * The calling node is offline from now on because its agent was stopped, until it beats again: nobody is alarmed by its
   * silence. Answers since when it is stopped. Safe to repeat; a node that has never beaten stays one that never connected.
   */
  async report(operation: Operation): Promise<Date> {
    const { tenantId, instanceId, generation } = operation.requireNode();
    const now = operation.clock.now();
    return operation.write(async ({ em, publish, audit }) => {
      const instance = await em.findOne(
        Instance,
        { tenantId, id: instanceId },
        { lockMode: LockMode.PESSIMISTIC_WRITE },
      );
      // A credential that was offered to the node counts from its first use on, which this may be.
      if (!instance || generation < instance.credentialGeneration) {
        throw new ApiError('UNAUTHENTICATED', 'The credential was revoked', { reason: 'TOKEN_REVOKED' });
      }
      audit({ target: instanceId });
      const { announcedStatus: from, offlineAt, stoppedAt, lastSeenAt } = instance;
      if (!lastSeenAt) return now;
      if (from === 'OFFLINE' && stoppedAt && stoppedAt.getTime() === offlineAt?.getTime()) return stoppedAt;
      Object.assign(instance, {
        announcedStatus: 'OFFLINE',
        offlineAt: now,
        stoppedAt: now,
        statusChangedAt: now,
      });
      publish({
        topic: 'fleet.instance.changed',
        tenantId,
        entityId: instanceId,
        payload: { instanceId, from, to: 'OFFLINE' } satisfies InstanceChanged,
      });
      return now;
    });
  }
}
