import { LockMode } from '@mikro-orm/core';

import { ApiError } from '#platform/errors.js';
import { sha256 } from '#platform/secrets/random-token.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';

import { securityEvent } from '../security/security-event.js';
import { Session } from '../session/session.entity.js';
import { User } from '../user/user.entity.js';
import type { Assertions } from './assertions.js';
import { OAuthClient } from './oauth-client.entity.js';
import { IssuedToken, OAuthCode } from './oauth-code.entity.js';
import type { ExchangeAuthorizationCodeInput, OAuthTokens } from './oauth.inputs.js';
import { isVerifierOf } from './pkce.js';

/** Everything that the token endpoint needs, present. */
type Exchange = Record<'code' | 'redirectUri' | 'clientId' | 'codeVerifier', string>;

/** The token endpoint (RFC 6749, sections 4.1.3 to 5.2; RFC 7636; RFC 9700). Refusals name RFC 6749's own errors. */
export class TokenService {
  constructor(private readonly assertions: Assertions) {}

  async exchange(operation: Operation, input: ExchangeAuthorizationCodeInput): Promise<OAuthTokens> {
    const exchange = readExchange(input);
    const codeHash = sha256(exchange.code);
    const lookUp = operation.database.anonymous();
    const [client] = await lookUp.execute<{ id: string }[]>('select * from identity.find_oauth_client(?)', [
      exchange.clientId,
    ]);
    if (!client) throw oauthError('INVALID_CLIENT', 'No node has this client_id', 'UNAUTHENTICATED');
    const [found] = await lookUp.execute<{ tenant_id: string }[]>(
      'select * from identity.find_oauth_code(?)',
      [codeHash],
    );
    if (!found) throw invalidGrant();
    const tenantId = found.tenant_id;
    // What a replay revokes must outlast the refusal, so it is committed and only then thrown.
    const tokens = await operation.write(async (write) => {
      const code = await write.em.findOneOrFail(
        OAuthCode,
        { tenantId, codeHash },
        { lockMode: LockMode.PESSIMISTIC_WRITE },
      );
      write.audit({ target: code.instanceId, actor: code.instanceId, actorKind: 'node' });
      // Before the code is looked at any further: who lacks the verifier can neither use a code up nor revoke by it.
      if (!isBoundTo(code, exchange)) throw invalidGrant();
      if (code.consumedAt) return this.revoke(operation, write, code);
      return this.consume(operation, write, code);
    }, tenantId);
    if (!tokens) throw invalidGrant();
    return tokens;
  }

  /** The row lock lets one of two exchanges get here with an unused code; the other one is a replay. */
  private async consume(operation: Operation, write: Write, code: OAuthCode): Promise<OAuthTokens> {
    const now = operation.clock.now();
    const { tenantId, codeHash, instanceId, userId, sessionId } = code;
    const used = await write.em.nativeUpdate(
      OAuthCode,
      { tenantId, codeHash, consumedAt: null, expiresAt: { $gt: now } },
      { consumedAt: now },
    );
    if (used === 0) throw invalidGrant();
    const client = await write.em.findOne(OAuthClient, { tenantId, instanceId, revokedAt: null });
    const session = await write.em.findOne(Session, {
      tenantId,
      id: sessionId,
      revokedAt: null,
      expiresAt: { $gt: now },
    });
    const user = await write.em.findOne(User, { tenantId, id: userId });
    if (!client || !session || !user) throw invalidGrant();
    const { tokens, issued, expiresAt } = await this.assertions.issue({ user, session, code, now });
    for (const { kind, jti } of issued) {
      write.em.persist(
        Object.assign(new IssuedToken(), {
          tenantId,
          jti,
          kind,
          codeHash,
          instanceId,
          userId,
          sessionId,
          issuedAt: now,
          expiresAt,
          revokedAt: null,
        }),
      );
    }
    return tokens;
  }

  /** RFC 6749, section 4.1.2: a code that comes twice was stolen; what it gave is taken back. */
  private async revoke(operation: Operation, write: Write, code: OAuthCode): Promise<undefined> {
    const now = operation.clock.now();
    const { tenantId, codeHash, instanceId, userId } = code;
    await write.em.nativeUpdate(IssuedToken, { tenantId, codeHash, revokedAt: null }, { revokedAt: now });
    await write.em.nativeUpdate(OAuthCode, { tenantId, codeHash, replayedAt: null }, { replayedAt: now });
    write.publish(
      securityEvent(operation, tenantId, { action: 'authn_code_replay', userId, reason: instanceId }),
    );
  }
}

function readExchange(input: ExchangeAuthorizationCodeInput): Exchange {
  if (input.grantType !== 'authorization_code') {
    throw oauthError('UNSUPPORTED_GRANT_TYPE', 'grant_type must be authorization_code');
  }
  const { code, redirectUri, clientId, codeVerifier } = input;
  const required = { code, redirect_uri: redirectUri, client_id: clientId, code_verifier: codeVerifier };
  const missing = Object.entries(required).find(([, value]) => !value);
  if (missing || !code || !redirectUri || !clientId || !codeVerifier) {
    throw oauthError('INVALID_REQUEST', `${missing?.[0] ?? 'a parameter'} is required`);
  }
  return { code, redirectUri, clientId, codeVerifier };
}

function isBoundTo(code: OAuthCode, exchange: Exchange): boolean {
  return (
    isVerifierOf(code.codeChallenge, exchange.codeVerifier) &&
    code.instanceId === exchange.clientId &&
    code.redirectUri === exchange.redirectUri
  );
}

/** One sentence for every cause, so that a thief learns nothing from it. */
function invalidGrant(): ApiError {
  return oauthError(
    'INVALID_GRANT',
    'The code is not valid, has ended, was used, or is not for this request',
  );
}

function oauthError(
  reason: string,
  message: string,
  code: 'BAD_REQUEST' | 'UNAUTHENTICATED' = 'BAD_REQUEST',
): ApiError {
  return new ApiError(code, message, { reason });
}
