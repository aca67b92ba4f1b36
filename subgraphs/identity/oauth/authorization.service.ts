import { randomUUID } from 'node:crypto';

import { UniqueConstraintViolationException } from '@mikro-orm/core';

import { ApiError } from '#platform/errors.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import { randomToken, sha256 } from '#platform/secrets/random-token.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { findShownBranding, type ShownBranding } from '../branding/shown-branding.service.js';
import { Session } from '../session/session.entity.js';
import type { UserService } from '../user/user.service.js';
import { openConsent, sealConsent, type Consent } from './consent.js';
import { interactionOf, needsLogin, type Interaction } from './interaction.js';
import { OAuthClient } from './oauth-client.entity.js';
import { IssuedToken, OAuthCode } from './oauth-code.entity.js';
import type {
  AuthorizationPreflight,
  AuthorizationRequestInput,
  DecideAuthorizationInput,
} from './oauth.inputs.js';
import { isChallenge } from './pkce.js';
import { isAllowedRedirect, withParameters } from './redirect-uri.js';

const consentMs = 10 * 60_000;
const codeMs = 5 * 60_000;
export const scopes = ['openid', 'profile', 'email'];

/** The authorization endpoint: is the request in order, and does the user agree (RFC 6749, section 4.1; RFC 9700). */
export class AuthorizationService {
  constructor(
    private readonly users: UserService,
    private readonly keyring: Keyring,
    private readonly issuer: string,
  ) {}

  /**
   * Nothing of a request that fails here may be redirected to, but for LOGIN_REQUIRED and CONSENT_REQUIRED, whose redirect
   * URI was verified. `isFresh` says whether the user has signed in for this very request, where that is known.
   */
  async preflight(
    operation: Operation,
    request: AuthorizationRequestInput,
    isFresh?: boolean,
  ): Promise<AuthorizationPreflight> {
    const viewer = operation.requireUser();
    const client = await this.verifiedClient(operation, request.clientId, request.redirectUri);
    const interaction = checkRequest(request);
    await this.requireInteraction(operation, request, interaction, isFresh);
    const user = await this.users.me(operation);
    const state = request.state ?? null;
    const consent: Consent = {
      id: randomUUID(),
      clientId: client.instanceId,
      redirectUri: request.redirectUri,
      state,
      codeChallenge: request.codeChallenge,
      nonce: request.nonce ?? null,
      expiresAt: operation.clock.now().getTime() + consentMs,
    };
    return {
      client: { id: client.instanceId, name: client.name, hostname: client.hostname },
      redirectUri: request.redirectUri,
      scopes,
      state,
      user,
      consentId: sealConsent(this.keyring, viewer, consent),
    };
  }

  /** Where the browser takes an error that the node is to have. The redirect URI must have been verified. */
  refusalUrl({ redirectUri, state }: AuthorizationRequestInput, error: string): string {
    return withParameters(redirectUri, { error, state, iss: this.issuer });
  }

  /** Throws unless the user has signed in as lately as is wanted and, where nothing may be asked, has consented before. */
  private async requireInteraction(
    operation: Operation,
    request: AuthorizationRequestInput,
    interaction: Interaction,
    isFresh: boolean | undefined,
  ): Promise<void> {
    const { tenantId, userId, sessionId } = operation.requireUser();
    const refuse = (reason: 'LOGIN_REQUIRED' | 'CONSENT_REQUIRED', message: string): ApiError => {
      const redirectTo = this.refusalUrl(request, reason.toLowerCase());
      return new ApiError('BAD_REQUEST', message, {
        reason,
        ...(interaction.isSilent ? { details: { redirectTo } } : {}),
      });
    };
    const session = await operation.em.findOne(Session, { tenantId, id: sessionId });
    if (!session || needsLogin(interaction, session, operation.clock.now(), isFresh))
      throw refuse('LOGIN_REQUIRED', 'The node wants the user to sign in anew');
    if (!interaction.isSilent) return;
    // Consent is not kept for good: it holds for the node and the session in which the user has given it.
    const given = { tenantId, userId, sessionId, instanceId: request.clientId, kind: 'ID_TOKEN' as const };
    if ((await operation.em.count(IssuedToken, { ...given, revokedAt: null })) === 0)
      throw refuse('CONSENT_REQUIRED', 'The user has not agreed to this node in this session yet');
  }

  /** Answers where the browser goes: to the node, with a code or with the user's refusal. */
  async decide(operation: Operation, { consentId, approve }: DecideAuthorizationInput): Promise<string> {
    const viewer = operation.requireUser();
    const now = operation.clock.now();
    const consent = openConsent(this.keyring, viewer, consentId, now);
    if (!consent)
      throw bad('CONSENT_INVALID', 'The consent is not valid or has ended; start again at the node');
    await this.verifiedClient(operation, consent.clientId, consent.redirectUri);
    const answer = { state: consent.state, iss: this.issuer };
    const code = randomToken();
    try {
      await operation.write(async ({ em, audit }) => {
        audit({
          target: consent.clientId,
          ...(approve ? { changes: { signedInTo: consent.clientId } } : {}),
        });
        const { tenantId, userId, sessionId } = viewer;
        const live = { tenantId, id: sessionId, revokedAt: null, expiresAt: { $gt: now } };
        if ((await em.count(Session, live)) === 0)
          throw new ApiError('UNAUTHENTICATED', 'The session has ended');
        em.persist(
          Object.assign(new OAuthCode(), {
            tenantId,
            userId,
            sessionId,
            codeHash: sha256(code),
            consentHash: sha256(consent.id),
            instanceId: consent.clientId,
            redirectUri: consent.redirectUri,
            codeChallenge: consent.codeChallenge,
            nonce: consent.nonce,
            createdAt: now,
            expiresAt: new Date(now.getTime() + codeMs),
            // A refusal uses the consent up as well, by a code that nobody is told and that is used already.
            consumedAt: approve ? null : now,
            replayedAt: null,
          }),
        );
      });
    } catch (error) {
      if (!(error instanceof UniqueConstraintViolationException)) throw error;
      throw new ApiError('CONFLICT', 'This consent was answered already', { reason: 'CONSENT_USED' });
    }
    return withParameters(consent.redirectUri, {
      ...(approve ? { code } : { error: 'access_denied' }),
      ...answer,
    });
  }

  /**
   * Whether a redirect URI belongs to a client, before anyone has signed in: the authorize page asks for no password
   * on behalf of a request that leads nowhere. Answers how the client's tenant presents itself, and nothing else of it.
   */
  async known(
    operation: Operation,
    clientId: string,
    redirectUri: string,
  ): Promise<{ branding: ShownBranding | undefined } | undefined> {
    const [found] = await operation.database
      .anonymous()
      .execute<{ tenant_id: string }[]>('select * from identity.find_oauth_client(?)', [clientId]);
    if (!found) return undefined;
    const tenantId = found.tenant_id;
    const em = operation.database.forTenant(tenantId);
    const client = await em.findOne(OAuthClient, { tenantId, instanceId: clientId, revokedAt: null });
    if (!client || !isAllowedRedirect(client.redirectUris, redirectUri)) return undefined;
    return { branding: await findShownBranding(em, tenantId) };
  }

  private async verifiedClient(
    operation: Operation,
    clientId: string,
    redirectUri: string,
  ): Promise<OAuthClient> {
    const { tenantId } = operation;
    const client = await operation.em.findOne(OAuthClient, {
      tenantId,
      instanceId: clientId,
      revokedAt: null,
    });
    if (!client) throw bad('UNKNOWN_CLIENT', 'No node of your organization has this client_id');
    if (!isAllowedRedirect(client.redirectUris, redirectUri)) {
      throw bad('REDIRECT_URI_MISMATCH', 'The node is not registered with this redirect_uri');
    }
    return client;
  }
}

/** What can be said of a request without knowing who asks, and how it wants the user to be asked. */
export function checkRequest(request: AuthorizationRequestInput): Interaction {
  const { responseType, codeChallenge, codeChallengeMethod, state, nonce } = request;
  if ((responseType ?? 'code') !== 'code')
    throw bad('UNSUPPORTED_RESPONSE_TYPE', 'response_type must be code');
  if ((codeChallengeMethod ?? 'S256') !== 'S256')
    throw bad('INVALID_REQUEST', 'code_challenge_method must be S256');
  if (!isChallenge(codeChallenge)) {
    throw bad('INVALID_REQUEST', 'code_challenge must be a SHA-256 in base64url, 43 characters');
  }
  if ((state?.length ?? 0) > 2000) throw bad('INVALID_REQUEST', 'state must have at most 2000 characters');
  if ((nonce?.length ?? 0) > 500) throw bad('INVALID_REQUEST', 'nonce must have at most 500 characters');
  const interaction = interactionOf(request);
  if (!interaction)
    throw bad('INVALID_REQUEST', 'prompt=none must be alone, and max_age a whole number of seconds');
  return interaction;
}

function bad(reason: string, message: string): ApiError {
  return new ApiError('BAD_REQUEST', message, { reason });
}
