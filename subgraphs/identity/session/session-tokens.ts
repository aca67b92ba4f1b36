import { signToken } from '#platform/auth/tokens.js';
import { newId } from '#platform/ids.js';
import { randomToken, sha256 } from '#platform/secrets/random-token.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';
import type { Role, UserViewer } from '#platform/viewer.js';

import type { SigningKeyService } from '../signing-key/signing-key.service.js';
import { networkOf } from '../throttle/network.js';
import type { User } from '../user/user.entity.js';
import type { AuthPayload } from './auth-payload.js';
import { endOldestSessions } from './end-sessions.service.js';
import { accessSeconds, refreshIdleMs, sessionMaxMs } from './session-times.js';
import { RefreshToken, Session } from './session.entity.js';

/** Opens sessions and makes their tokens, in the transaction of whoever let the user in. */
export class SessionTokens {
  constructor(
    private readonly keys: SigningKeyService,
    private readonly issuer: string,
  ) {}

  /** A new session with its first tokens. */
  async open(operation: Operation, write: Write, user: User): Promise<AuthPayload> {
    const session = await this.openWithoutTokens(operation, write, user);
    return this.issue(operation, write, user, session);
  }

  /** For the browser's own session at the authorize page, which keeps no tokens. */
  async openWithoutTokens(
    operation: Operation,
    write: Write,
    user: User,
    lifetimeMs = sessionMaxMs,
  ): Promise<Session> {
    const now = operation.clock.now();
    const session = Object.assign(new Session(), {
      tenantId: user.tenantId,
      id: newId('session'),
      userId: user.id,
      clientAddress: operation.request.clientAddress,
      network: networkOf(operation.request.clientAddress),
      userAgent: operation.request.userAgent?.slice(0, 500) ?? null,
      createdAt: now,
      lastUsedAt: now,
      expiresAt: new Date(now.getTime() + lifetimeMs),
      revokedAt: null,
    });
    await write.em.persist(session).flush();
    await endOldestSessions(write, { tenantId: user.tenantId, userId: user.id }, now);
    operation.adopt(this.viewerOf(operation, user, session));
    return session;
  }

  /** The next refresh token of a session, and an access token. */
  async issue(operation: Operation, write: Write, user: User, session: Session): Promise<AuthPayload> {
    const refreshToken = randomToken();
    this.keep(operation, write, session, refreshToken);
    return this.answer(operation, user, session, refreshToken);
  }

  /** Stores the hash of a refresh token. */
  keep(operation: Operation, write: Write, session: Session, refreshToken: string): void {
    const now = operation.clock.now();
    write.em.persist(
      Object.assign(new RefreshToken(), {
        tenantId: session.tenantId,
        tokenHash: sha256(refreshToken),
        sessionId: session.id,
        createdAt: now,
        expiresAt: new Date(Math.min(now.getTime() + refreshIdleMs, session.expiresAt.getTime())),
        usedAt: null,
      }),
    );
  }

  /** The tokens as a client gets them; the rest of the operation is read as the user. */
  async answer(
    operation: Operation,
    user: User,
    session: Session,
    refreshToken: string,
  ): Promise<AuthPayload> {
    const viewer = this.viewerOf(operation, user, session);
    const accessToken = await signToken(
      'user',
      this.keys.signingKey(),
      {
        sub: user.id,
        tenant: user.tenantId,
        sid: session.id,
        role: viewer.role,
        ...(user.isAdministrator ? { admin: true } : {}),
      },
      { issuer: this.issuer, now: operation.clock.now(), lifetimeSeconds: accessSeconds },
    );
    operation.adopt(viewer);
    return {
      user,
      accessToken,
      refreshToken,
      tokenType: 'Bearer',
      expiresIn: accessSeconds,
      totpRequired: null,
      challengeToken: null,
    };
  }

  viewerOf(operation: Operation, user: User, session: Session): UserViewer {
    return {
      kind: 'user',
      tenantId: user.tenantId,
      userId: user.id,
      sessionId: session.id,
      role: user.role.toLowerCase() as Role,
      isAdministrator: user.isAdministrator,
      expiresAt: Math.floor(operation.clock.now().getTime() / 1000) + accessSeconds,
    };
  }
}
