import { IsolationLevel } from '@mikro-orm/core';

import type { SqlEntityManager } from '#platform/database/database.js';
import { ApiError, notFound } from '#platform/errors.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { pageWindow, type Page } from '#platform/subgraph/paging.js';

import { chainHash } from './audit-chain.js';
import { AuditEvent } from './audit-event.entity.js';
import { isSealOf, type AuditHead } from './audit-head.js';
import { findHead, type StoredHead } from './audit-head.service.js';
import {
  AuditProblem,
  type AuditEventFilter,
  type AuditEventsArgs,
  type AuditVerification,
} from './audit.inputs.js';

const batch = 1_000;

/** Reads and checks the trail of the viewer's tenant. */
export class AuditService {
  constructor(private readonly keyring: Keyring) {}

  /** Newest first: a new entry never moves the page that someone is reading. */
  async page(operation: Operation, args: AuditEventsArgs): Promise<Page<AuditEvent>> {
    const { size, after } = pageWindow(args);
    const matching = { tenantId: operation.tenantId, ...conditions(args.filter ?? {}) };
    const before = after === undefined ? undefined : Number(after);
    if (before !== undefined && !Number.isSafeInteger(before)) {
      throw new ApiError('BAD_REQUEST', 'after must be an endCursor of this list');
    }
    const rows = await operation.em.find(
      AuditEvent,
      { ...matching, ...(before === undefined ? {} : { sequence: { $lt: before } }) },
      { orderBy: { sequence: 'desc' }, limit: size + 1 },
    );
    const nodes = rows.slice(0, size);
    const last = nodes.at(-1);
    return {
      nodes,
      pageInfo: {
        endCursor: last ? Buffer.from(String(last.sequence)).toString('base64url') : null,
        hasNextPage: rows.length > size,
      },
      total: () => operation.em.count(AuditEvent, matching),
    };
  }

  /** One entry. */
  async get({ em, tenantId }: Operation, sequence: number): Promise<AuditEvent> {
    const found = await em.findOne(AuditEvent, { tenantId, sequence });
    if (!found) throw notFound('Entry of the audit trail');
    return found;
  }

  /** The whole trail, oldest first, in batches. */
  async *all(operation: Operation): AsyncGenerator<AuditEvent[], void> {
    for (let after = 0; ;) {
      const rows = await read(operation.database.forTenant(operation.tenantId), operation.tenantId, after);
      if (rows.length > 0) yield rows;
      if (rows.length < batch) return;
      after = rows.at(-1)!.sequence;
    }
  }

  /** Hashes the chain anew from its beginning, on one snapshot, and compares its end with the sealed head. */
  async verify(operation: Operation): Promise<AuditVerification> {
    const { tenantId } = operation;
    return operation.database.forTenant(tenantId).transactional(
      async (em) => {
        const head = await findHead(em, tenantId, { isLocked: false });
        if (!head) return broken(0, 1, AuditProblem.HEAD_MISSING, '');
        return (await this.scan(em, tenantId, head)) ?? this.checkHead(tenantId, head);
      },
      { isolationLevel: IsolationLevel.REPEATABLE_READ, readOnly: true },
    );
  }

  /** The first thing that is wrong with the rows. */
  private async scan(
    em: SqlEntityManager,
    tenantId: string,
    head: AuditHead,
  ): Promise<AuditVerification | undefined> {
    let sequence = head.firstAfter;
    let hash = head.firstAfterHash;
    for (;;) {
      em.clear();
      const rows = await read(em, tenantId, sequence);
      for (const row of rows) {
        const expected = sequence + 1;
        const checked = sequence - head.firstAfter;
        const fault = (problem: AuditProblem) => broken(checked, expected, problem, head.lastHash);
        if (expected > head.lastSequence) return fault(AuditProblem.ROW_ADDED);
        if (row.sequence !== expected) return fault(AuditProblem.ROW_MISSING);
        if (row.previousHash !== hash) return fault(AuditProblem.LINK_BROKEN);
        if (row.hash !== chainHash(row, hash)) return fault(AuditProblem.ROW_ALTERED);
        sequence = expected;
        hash = row.hash;
      }
      if (rows.length < batch) break;
    }
    const checked = sequence - head.firstAfter;
    if (sequence < head.lastSequence)
      return broken(checked, sequence + 1, AuditProblem.END_MISSING, head.lastHash);
    if (hash !== head.lastHash) return broken(checked, sequence, AuditProblem.HEAD_ALTERED, head.lastHash);
    return undefined;
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

function broken(
  checked: number,
  brokenAt: number,
  problem: AuditProblem,
  headHash: string,
): AuditVerification {
  return { isIntact: false, checked, brokenAt, problem, headHash };
}

function conditions({ actor, action, target, from, to }: AuditEventFilter): Record<string, unknown> {
  return {
    ...(actor == null ? {} : { actor }),
    ...(action == null ? {} : { action }),
    ...(target == null ? {} : { target }),
    ...(from == null && to == null
      ? {}
      : { occurredAt: { ...(from == null ? {} : { $gte: from }), ...(to == null ? {} : { $lt: to }) } }),
  };
}

async function read(em: SqlEntityManager, tenantId: string, after: number): Promise<AuditEvent[]> {
  return em.find(
    AuditEvent,
    { tenantId, sequence: { $gt: after } },
    { orderBy: { sequence: 'asc' }, limit: batch },
  );
}
