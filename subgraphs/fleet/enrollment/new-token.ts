import { newId } from '#platform/ids.js';
import { randomToken, sha256 } from '#platform/secrets/random-token.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { EnrollmentToken } from './enrollment-token.entity.js';
import { endOfToken, makerOf } from './makers.service.js';

const hour = 60 * 60 * 1000;
const prefixLength = 12;

interface NewToken extends Pick<EnrollmentToken, 'name' | 'tags' | 'maxUses'> {
  hours: number;
  serverId?: string;
  boundHostname?: string;
}

/** A token of the viewer, and its secret, of which the token has the hash only. */
export function newToken(
  operation: Operation,
  { hours, serverId, boundHostname, ...said }: NewToken,
): { secret: string; token: EnrollmentToken } {
  const secret = `flt_${randomToken()}`;
  const now = operation.clock.now();
  const viewer = operation.requireViewer();
  const token = Object.assign(new EnrollmentToken(), {
    tenantId: operation.tenantId,
    id: newId('enrollmentToken'),
    ...said,
    prefix: secret.slice(0, prefixLength),
    tokenHash: sha256(secret),
    uses: 0,
    instanceId: null,
    serverId: serverId ?? null,
    boundHostname: boundHostname ?? null,
    ...makerOf(viewer),
    createdAt: now,
    expiresAt: endOfToken(viewer, new Date(now.getTime() + hours * hour)),
    revokedAt: null,
    revokedReason: null,
    lastUsedAt: null,
  });
  return { secret, token };
}
