import type { SqlEntityManager } from '#platform/database/database.js';
import { newId } from '#platform/ids.js';
import type { Consumer, ConsumerStep } from '#platform/outbox/consumer.js';
import type {
  EntitlementGranted,
  InstancesCounted,
  MspClientChanged,
  SessionRevoked,
  TenantCreated,
  TenantRestored,
  TenantSuspended,
} from '#schema/events.js';

import { invitationMs } from '../member/invitation.service.js';
import { planEntitlements } from '../tenant/plans.js';

interface TenantRow {
  plan: string;
  planVersion: string;
  clientVersion: string;
  isSuspended: boolean;
  instanceLimit: number | null;
}

/**
 * Makes the tenant of a client what its provider decided: there is none yet, or it has another plan, limit, name or
 * state. The event carries all of it, so one that was overtaken is left out.
 */
export const applyMspClients: Consumer = {
  topics: ['identity.msp-client.changed'],
  async handle(step) {
    const { em, event, now, publish } = step;
    const client = event.payload as unknown as MspClientChanged;
    const { clientId: tenantId, name, plan } = client;
    const made = await em.execute<unknown[]>(
      `insert into identity.tenant (id, name, plan, plan_version, created_at, parent_tenant_id)
       values (?, ?, ?, 0, ?, ?) on conflict do nothing returning 1`,
      [tenantId, name, plan, now.toISOString(), event.tenantId],
    );
    if (made.length > 0) {
      publish({
        topic: 'identity.tenant.created',
        tenantId,
        entityId: tenantId,
        payload: { tenantId, name, plan, parentTenantId: event.tenantId } satisfies TenantCreated,
      });
    }
    if (client.invitation) await inviteOwner(step, client);
    const tenant = await lockTenant(em, tenantId);
    if (!tenant || Number(tenant.clientVersion) >= client.version) return;
    await em.execute('update identity.tenant set name = ?, client_version = ? where id = ?', [
      name,
      client.version,
      tenantId,
    ]);
    if (tenant.plan !== plan || tenant.instanceLimit !== client.instanceLimit)
      await grant(step, client, tenant);
    if (tenant.isSuspended !== client.isSuspended) await setSuspended(step, tenantId, client.isSuspended);
  },
};

async function lockTenant(em: SqlEntityManager, tenantId: string): Promise<TenantRow | undefined> {
  const [row] = await em.execute<TenantRow[]>(
    `select t.plan, t.plan_version as "planVersion", t.client_version as "clientVersion",
       t.suspended_at is not null as "isSuspended", (e.limits ->> 'instances')::int as "instanceLimit"
     from identity.tenant t left join identity.entitlement e on e.tenant_id = t.id
     where t.id = ? for update of t`,
    [tenantId],
  );
  return row;
}

async function grant(
  { em, publish }: ConsumerStep,
  client: MspClientChanged,
  tenant: TenantRow,
): Promise<void> {
  const { clientId: tenantId, plan, instanceLimit } = client;
  const version = Number(tenant.planVersion) + 1;
  await em.execute('update identity.tenant set plan = ?, plan_version = ? where id = ?', [
    plan,
    version,
    tenantId,
  ]);
  const { features, limits } = planEntitlements[plan];
  publish({
    topic: 'billing.entitlement.granted',
    tenantId,
    entityId: tenantId,
    entityVersion: version,
    payload: {
      tenantId,
      version,
      plan,
      // A client has no clients: shares of shares could not be accounted for.
      features: features.filter((feature) => feature !== 'msp'),
      limits: { ...limits, instances: instanceLimit },
    } satisfies EntitlementGranted,
  });
}

/** Ends its sessions as well: after a restoration everyone signs in anew. */
export async function setSuspended(
  { em, now, publish }: Pick<ConsumerStep, 'em' | 'now' | 'publish'>,
  tenantId: string,
  isSuspended: boolean,
): Promise<void> {
  const at = now.toISOString();
  if (!isSuspended) {
    await em.execute('update identity.tenant set suspended_at = null, restored_at = ? where id = ?', [
      at,
      tenantId,
    ]);
    publish({
      topic: 'identity.tenant.restored',
      tenantId,
      entityId: tenantId,
      payload: { tenantId } satisfies TenantRestored,
    });
    return;
  }
  await em.execute('update identity.tenant set suspended_at = ?, restored_at = null where id = ?', [
    at,
    tenantId,
  ]);
  publish({
    topic: 'identity.tenant.suspended',
    tenantId,
    entityId: tenantId,
    payload: { tenantId } satisfies TenantSuspended,
  });
  const ended = await em.execute<{ id: string; userId: string }[]>(
    `update identity.session set revoked_at = ? where tenant_id = ? and revoked_at is null
     returning id, user_id as "userId"`,
    [at, tenantId],
  );
  for (const { id, userId } of ended) {
    publish({
      topic: 'identity.session.revoked',
      tenantId,
      entityId: id,
      payload: { sessionId: id, userId, reason: 'TENANT_SUSPENDED' } satisfies SessionRevoked,
    });
  }
}

async function inviteOwner({ em, now }: ConsumerStep, client: MspClientChanged): Promise<void> {
  const { email, tokenHash, invitedBy } = client.invitation!;
  await em.execute(
    `insert into identity.invitation (tenant_id, id, email, role, token_hash, invited_by, created_at, expires_at)
     values (?, ?, ?, 'OWNER', ?, ?, ?, ?)
     on conflict (tenant_id, lower(email)) where accepted_at is null and revoked_at is null
     do update set role = 'OWNER', token_hash = excluded.token_hash, invited_by = excluded.invited_by,
       expires_at = excluded.expires_at`,
    [
      client.clientId,
      newId('invitation'),
      email,
      tokenHash,
      invitedBy,
      now.toISOString(),
      new Date(now.getTime() + invitationMs).toISOString(),
    ],
  );
}

/** Keeps what fleet counts: a tenant's own use, and what a provider sees of it. */
export const countInstances: Consumer = {
  topics: ['fleet.instances.counted'],
  async handle({ em, event }) {
    const { count } = event.payload as unknown as InstancesCounted;
    const kept = await em.execute<unknown[]>(
      `insert into identity.tenant_usage as u (tenant_id, version, instances)
       select t.id, ?, ? from identity.tenant t where t.id = ?
       on conflict (tenant_id) do update set version = excluded.version, instances = excluded.instances
       where u.version < excluded.version returning 1`,
      [event.entityVersion ?? 0, count, event.tenantId],
    );
    if (kept.length === 0) return;
    await em.execute('update identity.msp_client set instances_used = ? where id = ?', [
      count,
      event.tenantId,
    ]);
  },
};
