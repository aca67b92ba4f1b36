import type { SqlEntityManager } from '#platform/database/database.js';
import type { Keyring } from '#platform/secrets/keyring.js';

import { emptyHead, sealHead, type AuditHead } from './audit-head.js';

export type StoredHead = AuditHead & { seal: string | null };

interface Row {
  first_after: string;
  first_after_hash: string;
  last_sequence: string;
  last_hash: string;
  sealed_head: string | null;
  restored_at: string | null;
}

/**
 * Seals the empty head of a tenant, in the transaction that makes the tenant. There is no other moment at which a head
 * without a seal is what it should be: later it would be a trail that was wiped.
 */
export async function beginTrail(em: SqlEntityManager, keyring: Keyring, tenantId: string): Promise<void> {
  await em.execute('update identity.audit_head set sealed_head = ? where tenant_id = ?', [
    sealHead(keyring, tenantId, emptyHead),
    tenantId,
  ]);
}

export async function findHead(
  em: SqlEntityManager,
  tenantId: string,
  options: { isLocked: boolean },
): Promise<StoredHead | undefined> {
  const [row] = await em.execute<Row[]>(
    `select first_after, first_after_hash, last_sequence, last_hash, sealed_head, restored_at
     from identity.audit_head where tenant_id = ? ${options.isLocked ? 'for update' : ''}`,
    [tenantId],
  );
  if (!row) return undefined;
  return {
    firstAfter: Number(row.first_after),
    firstAfterHash: row.first_after_hash,
    lastSequence: Number(row.last_sequence),
    lastHash: row.last_hash,
    seal: row.sealed_head,
    restoredAt: row.restored_at === null ? null : new Date(row.restored_at),
  };
}
