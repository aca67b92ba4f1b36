import type { SqlEntityManager } from '#platform/database/database.js';
import type { Consumer, ConsumerStep } from '#platform/outbox/consumer.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import { auditEvent } from '#platform/subgraph/audit.js';
import type { MspClientChanged, TenantCreated } from '#schema/events.js';

import { beginTrail } from '../audit/audit-head.service.js';
import { setSuspended } from '../tenant/set-suspended.service.js';
import { renamed } from '../tenant/tenant.service.js';
import { grantToClient, isPaying } from './client-entitlement.service.js';
import type { OwnerInvitations } from './owner-invitation.job.js';

interface TenantRow {
  name: string;
  plan: string;
  isSuspended: boolean;
  instanceLimit: number | null;
  isReadOnly: boolean | null;
}

/**
 * Makes the tenant of a client what its provider decided: there is none yet, or it has another plan, limit, name or
 * state. The event carries all of it, so of one that was overtaken only the trail is told.
 */
export function applyMspClients(owners: OwnerInvitations, keyring: Keyring): Consumer {
  return {
    topics: ['identity.msp-client.changed'],
    async handle(step) {
      const client = step.event.payload as unknown as MspClientChanged;
      const providerId = step.event.tenantId;
      const isNewest = await isNewestKnown(step.em, client);
      await makeTenant(step, client, keyring);
      const { clientId: tenantId, name: tenantName, invitation } = client;
      const isInvited =
        isNewest &&
        invitation !== null &&
        (await owners.invite(step, { tenantId, providerId, tenantName, ...invitation }));
      tellTrail(step, client, isInvited);
      if (isNewest) await carryOver(step, client);
    },
  };
}

/** Consumers take one event at a time, and nobody else writes the version: it needs no lock. */
async function isNewestKnown(
  em: SqlEntityManager,
  { clientId, version }: MspClientChanged,
): Promise<boolean> {
  const rows = await em.execute<unknown[]>(
    'select 1 from identity.tenant where id = ? and client_version >= ?',
    [clientId, version],
  );
  return rows.length === 0;
}

async function makeTenant(
  { em, event, now, publish }: ConsumerStep,
  client: MspClientChanged,
  keyring: Keyring,
): Promise<void> {
  const { clientId: tenantId, name, plan } = client;
  const made = await em.execute<unknown[]>(
    `insert into identity.tenant (id, name, plan, plan_version, created_at, parent_tenant_id)
     values (?, ?, ?, 0, ?, ?) on conflict do nothing returning 1`,
    [tenantId, name, plan, now.toISOString(), event.tenantId],
  );
  if (made.length === 0) return;
  await beginTrail(em, keyring, tenantId);
  publish({
    topic: 'identity.tenant.created',
    tenantId,
    entityId: tenantId,
    payload: { tenantId, name, plan, parentTenantId: event.tenantId } satisfies TenantCreated,
  });
}

/** The provider's own trail has it by the mutation; this is for the client, whose it is to know. */
function tellTrail({ event, publish }: ConsumerStep, client: MspClientChanged, isInvited: boolean): void {
  const { action, changes, ...actor } = client.cause;
  publish(
    auditEvent(
      { name: action, args: {} },
      {
        tenantId: client.clientId,
        target: client.clientId,
        actorTenant: event.tenantId,
        ...actor,
        changes: { ...changes, ...(isInvited ? { invitedOwner: client.invitation?.email } : {}) },
      },
    ),
  );
}

async function carryOver(step: ConsumerStep, client: MspClientChanged): Promise<void> {
  const { em } = step;
  const { clientId: tenantId, name, plan } = client;
  const tenant = await lockTenant(em, tenantId);
  await em.execute('update identity.tenant set name = ?, client_version = ? where id = ?', [
    name,
    client.version,
    tenantId,
  ]);
  if (tenant.name !== name) step.publish(renamed(tenantId, name));
  const isReadOnly = !(await isPaying(em, step.event.tenantId));
  const isAsGiven = tenant.plan === plan && tenant.instanceLimit === client.instanceLimit;
  if (!isAsGiven || tenant.isReadOnly !== isReadOnly) await grantToClient(step, client, isReadOnly);
  const isSuspended = client.isSuspended || (await isSuspendedByPanel(em, tenantId));
  if (tenant.isSuspended !== isSuspended) await setSuspended(step, tenantId, isSuspended);
}

async function lockTenant(em: SqlEntityManager, tenantId: string): Promise<TenantRow> {
  const [row] = await em.execute<TenantRow[]>(
    `select t.name, t.plan, t.suspended_at is not null as "isSuspended",
       (e.limits ->> 'instances')::int as "instanceLimit", e.is_read_only as "isReadOnly"
     from identity.tenant t left join identity.entitlement e on e.tenant_id = t.id
     where t.id = ? for update of t`,
    [tenantId],
  );
  return row!;
}

/** Asked when the tenant is locked, as who suspends it locks it too. */
async function isSuspendedByPanel(em: SqlEntityManager, tenantId: string): Promise<boolean> {
  const rows = await em.execute<unknown[]>(
    'select 1 from identity.msp_client where id = ? and panel_suspended_at is not null',
    [tenantId],
  );
  return rows.length > 0;
}
