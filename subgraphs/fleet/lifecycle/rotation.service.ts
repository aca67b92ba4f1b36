import { LockMode } from '@mikro-orm/core';

import { notFound } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import type { CredentialOffered } from '#schema/events.js';

import type { CredentialService } from '../enrollment/credential.service.js';
import { Instance } from '../instance/instance.entity.js';
import { revokeCredentials } from './credential-revocation.service.js';

/**
 * Exchanges the credential of a node in two phases. The new one is offered with the answers to beats while the old one
 * goes on counting; only its first use takes the old one out of force. So a node that crashes in between, or never got
 * the answer, goes on with the one it has.
 */
export class RotationService {
  constructor(private readonly credentials: CredentialService) {}

  /** Asking again while an exchange is under way changes nothing. */
  async rotate(operation: Operation, id: string): Promise<Instance> {
    const { tenantId } = operation;
    return operation.write(async ({ em, publish, audit }) => {
      // A re-enrollment at the same time raises the generation, and ends what is offered below it.
      const instance = await em.findOne(Instance, { tenantId, id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (!instance) throw notFound('Instance');
      audit({ target: id });
      const { credentialGeneration: current, candidateGeneration: offered } = instance;
      instance.candidateGeneration = offered !== null && offered > current ? offered : current + 1;
      publish({
        topic: 'fleet.credential.offered',
        tenantId,
        entityId: id,
        payload: { instanceId: id } satisfies CredentialOffered,
      });
      return instance;
    });
  }

  /** The credential that waits for the calling node, while it has not used it. */
  async candidate(operation: Operation): Promise<{ credential: string | null; isPending: boolean }> {
    const { tenantId, instanceId, generation } = operation.requireNode();
    const [row] = await operation.em.execute<{ candidate: number | null }[]>(
      `select candidate_generation as candidate from fleet.instance
       where tenant_id = ? and id = ? and candidate_generation > credential_generation`,
      [tenantId, instanceId],
    );
    const candidate = row?.candidate ?? null;
    if (candidate === null) return { credential: null, isPending: false };
    if (generation >= candidate) return { credential: null, isPending: true };
    const node = { instanceId, tenantId, generation: candidate };
    return { credential: await this.credentials.issue(node, operation.clock.now()), isPending: true };
  }

  /** The calling node has used the credential that it was offered: from now on it is the only one. False otherwise. */
  async promote(operation: Operation): Promise<boolean> {
    const { tenantId, instanceId, generation } = operation.requireNode();
    return operation.write(async (write) => {
      const promoted = await write.em.execute<unknown[]>(
        `update fleet.instance set credential_generation = candidate_generation, candidate_generation = null
         where tenant_id = ? and id = ? and candidate_generation = ? returning 1`,
        [tenantId, instanceId, generation],
      );
      if (promoted.length === 0) return false;
      await revokeCredentials(
        write,
        { tenantId, instanceId, belowGeneration: generation },
        operation.clock.now(),
      );
      return true;
    }, tenantId);
  }
}
