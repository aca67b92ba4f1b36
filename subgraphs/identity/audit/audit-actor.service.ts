import type { SqlEntityManager } from '#platform/database/database.js';

import type { AuditRecord } from './audit-chain.js';

/** Who acted, as they were called when the entry was added. */
export interface AuditActor {
  name: string;
  /** Of a user; null of an API key. */
  email: string | null;
  /** Of what tenant, where it is another than that of the trail. */
  tenantId: string | null;
  tenantName: string | null;
}

/**
 * The user or the API key that acted, in a transaction of the jobs role; undefined of all others, and of whoever is there no
 * more. Somebody of another tenant is found by the one that the entry names, and by no other.
 */
export async function actorOf(em: SqlEntityManager, record: AuditRecord): Promise<AuditActor | undefined> {
  const { tenantId, actor, actorKind } = record;
  if (actorKind === 'api-key') {
    const [key] = await em.execute<AuditActor[]>(
      `select name, null as email, null as "tenantId", null as "tenantName" from identity.api_key
       where tenant_id = ? and id = ?`,
      [tenantId, actor],
    );
    return key;
  }
  if (actorKind !== 'user' && actorKind !== 'delegate') return undefined;
  const [user] = await em.execute<AuditActor[]>(
    `select u.name, u.email, nullif(u.tenant_id, ?) as "tenantId",
       case when u.tenant_id <> ? then t.name end as "tenantName"
     from identity."user" u join identity.tenant t on t.id = u.tenant_id
     where u.tenant_id in (select jsonb_array_elements_text(?::jsonb)) and u.id = ?`,
    [tenantId, tenantId, JSON.stringify(tenantsNamed(record)), actor],
  );
  return user;
}

/** The tenant of a trail, and the one that an entry says whoever acted was of. */
export function tenantsNamed({ tenantId, details: { actorTenant, changes } }: AuditRecord): string[] {
  const changed = typeof changes === 'object' && changes !== null ? Object.entries(changes) : [];
  const named = [actorTenant, ...changed.flatMap(([name, value]) => (name === 'actorTenant' ? [value] : []))];
  return [tenantId, ...named.filter((id) => typeof id === 'string')];
}
