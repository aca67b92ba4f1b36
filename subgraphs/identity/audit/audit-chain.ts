import { createHash } from 'node:crypto';

import { canonicalJson } from '#platform/canonical-json.js';

/** What a row of the trail says, and what its hash covers together with the hash of the row before it. */
export interface AuditRecord {
  tenantId: string;
  /** From 1, without gaps. */
  sequence: number;
  eventId: string;
  category: 'MUTATION' | 'SECURITY';
  action: string;
  actor: string;
  actorKind: string;
  target: string | null;
  clientAddress: string;
  requestId: string;
  occurredAt: Date;
  recordedAt: Date;
  details: Record<string, unknown>;
}

/** What comes before the first row. */
export const genesisHash = '';

/** The hash of a row: SHA-256 over its canonical JSON, the hash before it included. */
export function chainHash(record: AuditRecord, previousHash: string): string {
  const { tenantId, sequence, eventId, category, action, actor, actorKind, target } = record;
  const { clientAddress, requestId, occurredAt, recordedAt, details } = record;
  const covered = {
    tenantId,
    sequence,
    eventId,
    category,
    action,
    actor,
    actorKind,
    target,
    clientAddress,
    requestId,
    occurredAt: occurredAt.toISOString(),
    recordedAt: recordedAt.toISOString(),
    details,
    previousHash,
  };
  return createHash('sha256').update(canonicalJson(covered)).digest('hex');
}
