import type { SqlEntityManager } from '#platform/database/database.js';
import type { Sweep } from '#platform/membership/sweep.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import type { DeliveredEvent } from '#platform/outbox/event.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import type { AuditAppended } from '#schema/events.js';

import { actorOf } from './audit-actor.service.js';
import { chainHash, type AuditRecord } from './audit-chain.js';
import type { AuditEvent } from './audit-event.entity.js';
import { isSealOf, sealHead, type AuditHead } from './audit-head.js';
import { findHead } from './audit-head.service.js';
import { withoutPeople } from './audit-people.service.js';
import type { PersonalText } from './audit-personal.js';

const day = 24 * 60 * 60 * 1000;
const keepMs = 365 * day;
const tenantsAtOnce = 100;

/** Appends what every area tells of its mutations, and the security events, to the chain of their tenant. */
export function auditConsumer(keyring: Keyring): Consumer {
  return {
    topics: ['audit.mutation.recorded', 'audit.security.recorded'],
    bearsLate: true,
    async handle({ em, event, now, publish }) {
      const head = await lockHead(em, keyring, event.tenantId, now);
      // The tenant has been erased since.
      if (!head) return;
      const { record, personal } = await withoutPeople(em, toRecord(event, head.lastSequence + 1, now));
      const hash = chainHash(record, head.lastHash);
      await insert(em, record, personal, { previousHash: head.lastHash, hash });
      const next = { ...head, lastSequence: record.sequence, lastHash: hash };
      await em.execute(
        'update identity.audit_head set last_sequence = ?, last_hash = ?, sealed_head = ? where tenant_id = ?',
        [next.lastSequence, next.lastHash, sealHead(keyring, event.tenantId, next), event.tenantId],
      );
      const { sequence, action, actor, target, category, requestId, occurredAt } = record;
      publish({
        topic: 'identity.audit.appended',
        tenantId: event.tenantId,
        entityId: record.eventId,
        payload: {
          sequence,
          action,
          actor,
          target,
          category,
          requestId,
          occurredAt: occurredAt.toISOString(),
        } satisfies AuditAppended,
      });
    },
  };
}

/** Areas are consumed side by side; the lock makes their events take turns in a tenant's chain. */
async function lockHead(
  em: SqlEntityManager,
  keyring: Keyring,
  tenantId: string,
  now: Date,
): Promise<AuditHead | undefined> {
  const locked = { isLocked: true };
  const head = await findHead(em, tenantId, locked);
  if (head && isSealOf(keyring, tenantId, head, head.seal)) return head;
  return (await restoreHead(em, tenantId, now)) ? findHead(em, tenantId, locked) : undefined;
}

// Every tenant is made with a sealed head. A trail that lost it, or has one that the panel did not write, goes on from its
// last row, and verifyAudit tells of that from then on: the next seal covers `restored_at`.
async function restoreHead(em: SqlEntityManager, tenantId: string, now: Date): Promise<boolean> {
  const restored = await em.execute<unknown[]>(
    `insert into identity.audit_head (tenant_id, first_after, first_after_hash, last_sequence, last_hash, restored_at)
     select t.id, coalesce(f.sequence - 1, 0), coalesce(f.previous_hash, ''), coalesce(l.sequence, 0),
       coalesce(l.hash, ''), ?
     from identity.tenant t
       left join lateral (select e.sequence, e.previous_hash from identity.audit_event e where e.tenant_id = t.id
         order by e.sequence limit 1) f on true
       left join lateral (select e.sequence, e.hash from identity.audit_event e where e.tenant_id = t.id
         order by e.sequence desc limit 1) l on true
     where t.id = ? for key share of t
     on conflict (tenant_id) do update set first_after = excluded.first_after,
       first_after_hash = excluded.first_after_hash, last_sequence = excluded.last_sequence,
       last_hash = excluded.last_hash, restored_at = excluded.restored_at
     returning 1`,
    [now.toISOString(), tenantId],
  );
  return restored.length > 0;
}

function toRecord(event: DeliveredEvent, sequence: number, now: Date): AuditRecord {
  const { actor, actorKind, target, clientAddress, action, userId, ...details } = event.payload;
  const isMutation = event.topic === 'audit.mutation.recorded';
  return {
    tenantId: event.tenantId,
    sequence,
    eventId: event.eventId,
    category: isMutation ? 'MUTATION' : 'SECURITY',
    action: String(action),
    // Who failed to sign in is not known to be the user.
    actor: text(actor) ?? 'anonymous',
    actorKind: text(actorKind) ?? 'anonymous',
    target: text(target) ?? text(userId) ?? null,
    clientAddress: text(clientAddress) ?? '',
    requestId: event.causedBy,
    occurredAt: event.occurredAt,
    recordedAt: now,
    details,
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

async function insert(
  em: SqlEntityManager,
  record: AuditRecord,
  personal: readonly PersonalText[],
  { previousHash, hash }: Pick<AuditEvent, 'previousHash' | 'hash'>,
): Promise<void> {
  const who = await actorOf(em, record);
  await em.execute(
    `insert into identity.audit_event (tenant_id, sequence, event_id, category, action, actor, actor_kind, target,
       client_address, request_id, details, occurred_at, recorded_at, previous_hash, hash,
       actor_name, actor_email, actor_tenant_id, actor_tenant_name, personal)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?::jsonb, ?, ?, ?, ?, ?, ?, ?, ?, ?::jsonb)`,
    [
      record.tenantId,
      record.sequence,
      record.eventId,
      record.category,
      record.action,
      record.actor,
      record.actorKind,
      record.target,
      record.clientAddress,
      record.requestId,
      JSON.stringify(record.details),
      record.occurredAt.toISOString(),
      record.recordedAt.toISOString(),
      previousHash,
      hash,
      who?.name ?? null,
      who?.email ?? null,
      who?.tenantId ?? null,
      who?.tenantName ?? null,
      personal.length === 0 ? null : JSON.stringify(personal),
    ],
  );
}

interface Expired {
  tenant_id: string;
  sequence: string;
  hash: string;
}

/**
 * Removes entries that were kept for a year, oldest first, and remembers the hash of the last one removed: what is left
 * still verifies.
 */
export function auditRetentionSweep(keyring: Keyring): Sweep {
  return {
    name: 'audit.expire',
    isLong: true,
    everyMs: 60 * 60 * 1000,
    async run({ em, now }) {
      const before = new Date(now.getTime() - keepMs).toISOString();
      const tenants = await em.execute<{ tenant_id: string }[]>(
        `select h.tenant_id from identity.audit_head h
         where exists (select from identity.audit_event e where e.tenant_id = h.tenant_id
           and e.sequence = h.first_after + 1 and e.recorded_at < ?)
         order by h.tenant_id limit ${tenantsAtOnce}`,
        [before],
      );
      for (const { tenant_id: tenantId } of tenants) await expire(em, keyring, tenantId, before, now);
      return tenants.length === tenantsAtOnce ? 'more' : 'done';
    },
  };
}

async function expire(
  em: SqlEntityManager,
  keyring: Keyring,
  tenantId: string,
  before: string,
  now: Date,
): Promise<void> {
  const head = await lockHead(em, keyring, tenantId, now);
  if (!head) return;
  const [last] = await em.execute<Expired[]>('select * from identity.expire_audit(?, ?)', [tenantId, before]);
  if (!last) return;
  const next = { ...head, firstAfter: Number(last.sequence), firstAfterHash: last.hash };
  await em.execute(
    'update identity.audit_head set first_after = ?, first_after_hash = ?, sealed_head = ? where tenant_id = ?',
    [next.firstAfter, next.firstAfterHash, sealHead(keyring, tenantId, next), tenantId],
  );
}
