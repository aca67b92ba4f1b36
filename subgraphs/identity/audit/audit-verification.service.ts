import type { Database } from '#platform/database/database.js';
import { Turns } from '#platform/membership/turns.js';
import type { Keyring } from '#platform/secrets/keyring.js';

import { chainHash } from './audit-chain.js';
import { isSealOf, type AuditHead } from './audit-head.js';
import { findHead, type StoredHead } from './audit-head.service.js';
import { arePersonal } from './audit-personal.js';
import { AuditProblem, type AuditVerification } from './audit.inputs.js';
import { batch, readEntries } from './audit.service.js';

/** Hashing takes a core for as long as a trail is long, and requests need it too. */
const tenantsAtOnce = 2;

/**
 * Hashes a tenant's chain anew from its beginning, and compares its end with the sealed head. Entries are never changed,
 * so they are read up to the end that was told first, in batches that hold no connection between them.
 */
export class AuditVerifications {
  private readonly turns = new Turns(tenantsAtOnce);
  private readonly underWay = new Map<string, Promise<AuditVerification>>();

  constructor(private readonly keyring: Keyring) {}

  /** Whoever asks while the trail is being verified gets the same answer; so does who gave up and asks again. */
  async verify(database: Database, tenantId: string): Promise<AuditVerification> {
    const known = this.underWay.get(tenantId);
    if (known) return known;
    const verification = this.turns
      .run(async () => this.verifyNow(database, tenantId))
      .finally(() => this.underWay.delete(tenantId));
    this.underWay.set(tenantId, verification);
    return verification;
  }

  private async verifyNow(database: Database, tenantId: string): Promise<AuditVerification> {
    const readHead = async () => findHead(database.forTenant(tenantId), tenantId, { isLocked: false });
    const head = await readHead();
    if (!head) return broken(0, 1, AuditProblem.HEAD_MISSING, '');
    const found = (await scan(database, tenantId, head)) ?? this.checkHead(tenantId, head);
    if (found.isIntact) return found;
    // Retention may have removed the beginning before it was read. It says so in the head.
    const now = await readHead();
    return now && now.firstAfter > head.firstAfter ? this.verifyNow(database, tenantId) : found;
  }

  private checkHead(tenantId: string, head: StoredHead): AuditVerification {
    const checked = head.lastSequence - head.firstAfter;
    const { lastHash } = head;
    if (!isSealOf(this.keyring, tenantId, head, head.seal))
      return broken(checked, head.lastSequence, AuditProblem.HEAD_ALTERED, lastHash);
    if (head.restoredAt) return broken(checked, head.lastSequence, AuditProblem.HEAD_MISSING, lastHash);
    return { isIntact: true, checked, brokenAt: null, problem: null, headHash: lastHash };
  }
}

/** The first thing that is wrong with the rows. */
async function scan(
  database: Database,
  tenantId: string,
  head: AuditHead,
): Promise<AuditVerification | undefined> {
  let sequence = head.firstAfter;
  let hash = head.firstAfterHash;
  const fault = (problem: AuditProblem, at: number) =>
    broken(sequence - head.firstAfter, at, problem, head.lastHash);
  while (sequence < head.lastSequence) {
    const rows = await readEntries(database.forTenant(tenantId), tenantId, sequence, head.lastSequence);
    for (const row of rows) {
      const expected = sequence + 1;
      if (row.sequence !== expected) return fault(AuditProblem.ROW_MISSING, expected);
      if (row.previousHash !== hash) return fault(AuditProblem.LINK_BROKEN, expected);
      if (row.hash !== chainHash(row, hash) || !arePersonal(row.personal))
        return fault(AuditProblem.ROW_ALTERED, expected);
      sequence = expected;
      hash = row.hash;
    }
    if (rows.length < batch) break;
  }
  if (sequence < head.lastSequence) return fault(AuditProblem.END_MISSING, sequence + 1);
  const behind = await firstBehind(database, tenantId);
  if (behind !== undefined) return fault(AuditProblem.ROW_ADDED, behind);
  return hash === head.lastHash ? undefined : fault(AuditProblem.HEAD_ALTERED, sequence);
}

/** The place of a row behind the end, as both are at one moment: the trail goes on while it is read. */
async function firstBehind(database: Database, tenantId: string): Promise<number | undefined> {
  const [row] = await database.forTenant(tenantId).execute<{ end: string }[]>(
    `select h.last_sequence as "end" from identity.audit_head h where h.tenant_id = ? and exists
       (select from identity.audit_event e where e.tenant_id = h.tenant_id and e.sequence > h.last_sequence)`,
    [tenantId],
  );
  return row && Number(row.end) + 1;
}

function broken(
  checked: number,
  brokenAt: number,
  problem: AuditProblem,
  headHash: string,
): AuditVerification {
  return { isIntact: false, checked, brokenAt, problem, headHash };
}
