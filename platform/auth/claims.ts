import type { JWTPayload } from 'jose';

import { ApiError } from '../errors.js';
import { roles, type Viewer } from '../viewer.js';

/** The `typ` header of each kind of token (RFC 8725, section 3.11: explicit typing keeps one from passing as another). */
export const tokenTypes = {
  user: 'at+jwt',
  node: 'agent+jwt',
  service: 'svc+jwt',
  apiKey: 'key+jwt',
  delegate: 'dlg+jwt',
} as const;

/**
 * How long the tokens that identity signs may live. One that claims more was not made by the panel: whoever steals a key
 * must not make tokens that outlast the theft.
 */
export const longestSeconds: Readonly<Record<string, number>> = {
  [tokenTypes.user]: 15 * 60,
  [tokenTypes.apiKey]: 60,
  [tokenTypes.delegate]: 15 * 60,
};

// A node that was away when its credential ended may still beat, and is given a new one.
export const nodeGraceSeconds = 7 * 24 * 60 * 60;

export function refused(reason: string, message: string, cause?: unknown): ApiError {
  return new ApiError('UNAUTHENTICATED', message, { reason, cause });
}

/** Whom the claims of a token of this kind name. */
export function toViewer(typ: string | undefined, claims: JWTPayload): Viewer {
  const tenantId = String(claims['tenant']);
  const subject = String(claims.sub);
  const expiresAt = Number(claims.exp);
  const permissions = Array.isArray(claims['permissions']) ? claims['permissions'].map(String) : undefined;
  switch (typ) {
    case tokenTypes.user: {
      const role = roles.find((known) => known === claims['role']);
      if (!role) throw refused('TOKEN_INVALID', 'The token names no known role');
      return {
        kind: 'user',
        tenantId,
        expiresAt,
        userId: subject,
        sessionId: String(claims['sid']),
        role,
        isAdministrator: claims['admin'] === true,
        ...(permissions ? { permissions } : {}),
      };
    }
    case tokenTypes.node:
      return {
        kind: 'node',
        tenantId,
        expiresAt: expiresAt + nodeGraceSeconds,
        credentialExpiresAt: expiresAt,
        instanceId: subject,
        generation: Number(claims['gen']),
      };
    case tokenTypes.service:
      return {
        kind: 'service',
        tenantId,
        expiresAt,
        service: subject.replace(/^svc:/, ''),
        permissions: permissions ?? [],
      };
    case tokenTypes.apiKey:
      return {
        kind: 'api-key',
        tenantId,
        expiresAt,
        keyId: subject,
        permissions: permissions ?? [],
        keyExpiresAt: Number(claims['key_exp']),
      };
    case tokenTypes.delegate: {
      const role = roles.find((known) => known === claims['role']);
      const actor = claims['act'] as { sub?: unknown; tenant?: unknown } | undefined;
      if (!role || !actor) throw refused('TOKEN_INVALID', 'The token names no actor');
      return {
        kind: 'delegate',
        tenantId,
        expiresAt,
        actorId: String(actor.sub),
        actorTenantId: String(actor.tenant),
        sessionId: String(claims['sid']),
        grantId: String(claims['grant']),
        role,
        grantExpiresAt: Number(claims['grant_exp']),
      };
    }
    case undefined:
    default:
      throw refused('TOKEN_INVALID', 'The token is of an unknown kind');
  }
}
