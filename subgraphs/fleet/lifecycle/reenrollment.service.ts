import { LockMode } from '@mikro-orm/core';

import { headOf } from '#platform/cut-text.js';
import { ApiError, notFound } from '#platform/errors.js';
import { newId } from '#platform/ids.js';
import { randomToken, sha256 } from '#platform/secrets/random-token.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';

import { EnrollmentToken } from '../enrollment/enrollment-token.entity.js';
import type { CreateEnrollmentTokenPayload } from '../enrollment/enrollment.inputs.js';
import { endOfToken, makerOf, requireMaker } from '../enrollment/makers.service.js';
import { Instance } from '../instance/instance.entity.js';
import { revokeCredentials } from './credential-revocation.service.js';

const lifetimeMs = 60 * 60 * 1000;
const prefixLength = 12;

/** What a node says of itself when it comes back. */
export interface Comeback {
  hostname: string;
  version: string;
  baseUrl: string;
  redirectUris: string[];
  publicKey: string | null;
}

/** Nodes that lost their credential and come back as the instance they were. */
export class ReenrollmentService {
  /** A token for one use within an hour, by which a node takes the instance over; until then nothing changes. */
  async createToken(operation: Operation, instanceId: string): Promise<CreateEnrollmentTokenPayload> {
    const { tenantId } = operation;
    const now = operation.clock.now();
    const viewer = operation.requireViewer();
    const secret = `flt_${randomToken()}`;
    return operation.write(async ({ em, audit }) => {
      const instance = await em.findOne(Instance, { tenantId, id: instanceId });
      if (!instance) throw notFound('Instance');
      await requireMaker(em, makerOf(viewer));
      const token = em.create(EnrollmentToken, {
        tenantId,
        id: newId('enrollmentToken'),
        name: headOf(`Re-enroll ${instance.name}`, 200),
        prefix: secret.slice(0, prefixLength),
        tokenHash: sha256(secret),
        tags: [],
        maxUses: 1,
        uses: 0,
        instanceId,
        serverId: null,
        boundHostname: null,
        ...makerOf(viewer),
        createdAt: now,
        expiresAt: endOfToken(viewer, new Date(now.getTime() + lifetimeMs)),
        revokedAt: null,
        revokedReason: null,
        lastUsedAt: null,
      });
      audit({ target: instanceId, changes: { enrollmentToken: token.id } });
      return { token: secret, enrollmentToken: token, name: token.name, expiresAt: token.expiresAt };
    });
  }
}

/** Hands an instance to the node that came back. Whoever had its credential until now is refused from here on. */
export async function takeOver(
  write: Pick<Write, 'em' | 'publish'>,
  { tenantId, instanceId }: { tenantId: string; instanceId: string },
  comeback: Comeback,
  now: Date,
): Promise<Instance> {
  const instance = await write.em.findOne(
    Instance,
    { tenantId, id: instanceId },
    { lockMode: LockMode.PESSIMISTIC_WRITE },
  );
  if (!instance) {
    throw new ApiError('UNAUTHENTICATED', 'The instance has left the fleet', { reason: 'TOKEN_REVOKED' });
  }
  const generation = Math.max(instance.credentialGeneration, instance.candidateGeneration ?? 0) + 1;
  Object.assign(instance, comeback, {
    credentialGeneration: generation,
    candidateGeneration: null,
    // It counts its beats from the start again.
    sequence: null,
    otherSequence: null,
    regressions: 0,
    regressedAt: null,
  });
  await revokeCredentials(write, { tenantId, instanceId, belowGeneration: generation }, now);
  return instance;
}
