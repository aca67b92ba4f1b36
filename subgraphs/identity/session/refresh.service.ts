import { createHmac } from 'node:crypto';

import { LockMode } from '@mikro-orm/core';

import { ApiError } from '#platform/errors.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import { sha256 } from '#platform/secrets/random-token.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';

import { securityEvent } from '../security/security-event.js';
import { User } from '../user/user.entity.js';
import type { AuthPayload } from './auth-payload.js';
import type { SessionTokens } from './session-tokens.js';
import { RefreshToken, Session } from './session.entity.js';
import type { RefreshSessionInput } from './session.inputs.js';
import { endSession } from './session.service.js';

interface Found {
  token: RefreshToken;
  session: Session;
  user: User;
}

/** Rotates refresh tokens (RFC 9700, section 4.14). */
export class RefreshService {
  private readonly secret: string;

  constructor(
    private readonly tokens: SessionTokens,
    keyring: Keyring,
    private readonly graceSeconds: number,
  ) {
    this.secret = keyring.deriveText('refresh tokens');
  }

  /**
   * Trades a refresh token for a new pair. For a few seconds a token that was just traded gives the same successor
   * again, so that two tabs, or a lost answer, don't sign a user out; after that it ends the whole session.
   */
  async refresh(operation: Operation, { refreshToken }: RefreshSessionInput): Promise<AuthPayload> {
    const tokenHash = sha256(refreshToken);
    const [found] = await operation.database
      .anonymous()
      .execute<{ tenant_id: string; session_id: string }[]>(
        'select * from identity.find_session_by_refresh_token(?)',
        [tokenHash],
      );
    if (!found) throw refused();
    // The end of a session must outlast the refusal, so it is committed and only then thrown.
    const payload = await operation.write(async (write) => {
      const key = { tenantId: found.tenant_id, id: found.session_id };
      const rows = await this.lock(write, key, tokenHash);
      if (!rows) return undefined;
      write.audit({ target: rows.session.id, actor: rows.user.id, actorKind: 'user' });
      return this.rotate(operation, write, rows, refreshToken);
    }, found.tenant_id);
    if (!payload) throw refused();
    return payload;
  }

  private async rotate(
    operation: Operation,
    write: Write,
    { token, session, user }: Found,
    refreshToken: string,
  ): Promise<AuthPayload | undefined> {
    const now = operation.clock.now();
    if (session.revokedAt || session.expiresAt <= now || token.expiresAt <= now) return undefined;
    if (token.usedAt) {
      const age = now.getTime() - token.usedAt.getTime();
      if (age < this.graceSeconds * 1000) {
        const newest = await this.newestAfter(write, session, refreshToken);
        return this.tokens.answer(operation, user, session, newest);
      }
      endSession(write, session, now, 'REFRESH_TOKEN_REUSED');
      write.publish(
        securityEvent(operation, user.tenantId, {
          action: 'authn_token_reuse',
          userId: user.id,
          reason: session.id,
        }),
      );
      return undefined;
    }
    const successor = this.successorOf(refreshToken);
    token.usedAt = now;
    session.lastUsedAt = now;
    this.tokens.keep(operation, write, session, successor);
    return this.tokens.answer(operation, user, session, successor);
  }

  /**
   * Derived from its parent instead of drawn at random: the same child can be answered again without keeping it
   * anywhere, and nobody without SECRETS_KEY gets from one token to the next.
   */
  private successorOf(refreshToken: string): string {
    return createHmac('sha256', this.secret).update(refreshToken).digest('base64url');
  }

  /**
   * The link of the chain that is yet unused: the successor may have been traded already, and whoever lags behind must
   * not be given what would end the session. Every link after one within its grace is within its own.
   */
  private async newestAfter(write: Write, { tenantId, id }: Session, refreshToken: string): Promise<string> {
    let newest = refreshToken;
    for (;;) {
      newest = this.successorOf(newest);
      const link = { tenantId, sessionId: id, tokenHash: sha256(newest), usedAt: { $ne: null } };
      if ((await write.em.count(RefreshToken, link)) === 0) return newest;
    }
  }

  /** The session first: whoever removes one locks it before its tokens. Undefined when that has happened. */
  private async lock(
    write: Write,
    key: { tenantId: string; id: string },
    tokenHash: string,
  ): Promise<Found | undefined> {
    const { tenantId } = key;
    const lockMode = LockMode.PESSIMISTIC_WRITE;
    const session = await write.em.findOne(Session, key, { lockMode });
    const token = session && (await write.em.findOne(RefreshToken, { tenantId, tokenHash }, { lockMode }));
    const user = session && (await write.em.findOne(User, { tenantId, id: session.userId }));
    return session && token && user ? { session, token, user } : undefined;
  }
}

function refused(): ApiError {
  return new ApiError('UNAUTHENTICATED', 'The refresh token is not valid', {
    reason: 'REFRESH_TOKEN_INVALID',
  });
}
