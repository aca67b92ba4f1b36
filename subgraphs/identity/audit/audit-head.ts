import type { Keyring } from '#platform/secrets/keyring.js';

/** Where a tenant's trail begins and ends, kept apart from the rows so that missing ones are missed. */
export interface AuditHead {
  /** The last row that retention removed, 0 before it removed any; the chain starts after it. */
  firstAfter: number;
  firstAfterHash: string;
  lastSequence: number;
  lastHash: string;
}

/**
 * A head sealed with SECRETS_KEY: whoever can write to the database but does not hold the key can neither shorten a
 * trail nor hash it anew from some row on.
 */
export function sealHead(keyring: Keyring, tenantId: string, head: AuditHead): string {
  return keyring.seal(contentOf(head), tenantId);
}

export function isSealOf(keyring: Keyring, tenantId: string, head: AuditHead, seal: string): boolean {
  try {
    return keyring.open(seal, tenantId) === contentOf(head);
  } catch {
    return false;
  }
}

function contentOf({ firstAfter, firstAfterHash, lastSequence, lastHash }: AuditHead): string {
  return JSON.stringify([firstAfter, firstAfterHash, lastSequence, lastHash]);
}
