import type { Keyring } from '#platform/secrets/keyring.js';

import { genesisHash } from './audit-chain.js';

/** Where a tenant's trail begins and ends, kept apart from the rows so that missing ones are missed. */
export interface AuditHead {
  /** The last row that retention removed, 0 before it removed any; the chain starts after it. */
  firstAfter: number;
  firstAfterHash: string;
  lastSequence: number;
  lastHash: string;
  /** Since when it is not the one that the trail began with; null while it is. Nobody makes it null again. */
  restoredAt: Date | null;
}

/** Of a trail without entries. */
export const emptyHead: AuditHead = {
  firstAfter: 0,
  firstAfterHash: genesisHash,
  lastSequence: 0,
  lastHash: genesisHash,
  restoredAt: null,
};

/**
 * A head sealed with SECRETS_KEY: whoever can write to the database but does not hold the key can neither shorten a
 * trail nor hash it anew from some row on.
 */
export function sealHead(keyring: Keyring, tenantId: string, head: AuditHead): string {
  return keyring.seal(contentOf(head), tenantId);
}

export function isSealOf(keyring: Keyring, tenantId: string, head: AuditHead, seal: string | null): boolean {
  if (seal === null) return false;
  try {
    return keyring.open(seal, tenantId) === contentOf(head);
  } catch {
    return false;
  }
}

function contentOf({ firstAfter, firstAfterHash, lastSequence, lastHash, restoredAt }: AuditHead): string {
  const restored = restoredAt ? [restoredAt.toISOString()] : [];
  return JSON.stringify([firstAfter, firstAfterHash, lastSequence, lastHash, ...restored]);
}
