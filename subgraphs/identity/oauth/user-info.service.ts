import { ApiError } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { Session } from '../session/session.entity.js';
import { User } from '../user/user.entity.js';
import type { Assertions } from './assertions.js';
import { IssuedToken } from './oauth-code.entity.js';
import type { UserInfo } from './oauth.inputs.js';

/** The userinfo endpoint (OpenID Connect Core, section 5.3). */
export class UserInfoService {
  constructor(private readonly assertions: Assertions) {}

  /** Takes its own kind of token, which is none of the panel's: it makes no viewer, so it is read from the request. */
  async read(operation: Operation): Promise<UserInfo> {
    const now = operation.clock.now();
    const token = /^Bearer +(\S+)$/i.exec(operation.request.authorization?.trim() ?? '')?.[1];
    const claims = token === undefined ? undefined : await this.assertions.verifyAccessToken(token, now);
    if (!claims) throw refused();
    const { tenantId, jti, userId } = claims;
    operation.refuseSuspended(tenantId);
    const em = operation.database.forTenant(tenantId);
    const issued = await em.findOne(IssuedToken, { tenantId, jti, kind: 'ACCESS_TOKEN', revokedAt: null });
    if (!issued) throw refused();
    const session = await em.findOne(Session, {
      tenantId,
      id: issued.sessionId,
      revokedAt: null,
      expiresAt: { $gt: now },
    });
    const user = await em.findOne(User, { tenantId, id: userId });
    if (!session || !user) throw refused();
    return {
      sub: user.id,
      email: user.email,
      emailVerified: user.emailVerifiedAt !== null,
      name: user.name,
      tenant: user.tenantId,
      role: user.role.toLowerCase(),
    };
  }
}

function refused(): ApiError {
  return new ApiError('UNAUTHENTICATED', 'The access token is not valid, has ended, or was revoked', {
    reason: 'TOKEN_INVALID',
  });
}
