import { z } from 'zod';

import type { Keyring } from '#platform/secrets/keyring.js';
import type { UserViewer } from '#platform/viewer.js';

const shape = z.object({
  clientId: z.string(),
  redirectUri: z.string(),
  state: z.string().nullable(),
  codeChallenge: z.string(),
  nonce: z.string().nullable(),
  expiresAt: z.number(),
  /** Keeps two consents to the same request apart. */
  id: z.string(),
});

/** A request that was checked and awaits the user's answer. */
export type Consent = z.infer<typeof shape>;

/**
 * The consent is its own id, sealed for this user and session: nothing is written until the user has answered, and
 * nobody else can answer with it.
 */
export function sealConsent(keyring: Keyring, viewer: UserViewer, consent: Consent): string {
  return keyring.seal(JSON.stringify(consent), boundTo(viewer));
}

/** Undefined when it is not one, not this session's, or has ended. */
export function openConsent(
  keyring: Keyring,
  viewer: UserViewer,
  sealed: string,
  now: Date,
): Consent | undefined {
  let text: string;
  try {
    text = keyring.open(sealed, boundTo(viewer));
  } catch {
    return undefined;
  }
  const consent = shape.parse(JSON.parse(text));
  return consent.expiresAt > now.getTime() ? consent : undefined;
}

function boundTo({ tenantId, userId, sessionId }: UserViewer): string {
  return `oauth consent ${tenantId} ${userId} ${sessionId}`;
}
