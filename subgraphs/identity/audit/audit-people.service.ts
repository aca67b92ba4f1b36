import type { SqlEntityManager } from '#platform/database/database.js';

import { tenantsNamed } from './audit-actor.service.js';
import type { AuditRecord } from './audit-chain.js';
import { isAddress, mapTexts, withheld, type PersonalText } from './audit-personal.js';

/**
 * A record whose details name nobody, and what was taken from it: the hash covers details for as long as the entry is kept,
 * and people may be forgotten before. The address of a user of the trail's tenant, or of the one who acted, becomes the
 * user's id; any other one, and the name that somebody gives themselves, is kept beside.
 */
export async function withoutPeople(
  em: SqlEntityManager,
  record: AuditRecord,
): Promise<{ record: AuditRecord; personal: PersonalText[] }> {
  const isOwn = record.actorKind === 'user' && record.target === record.actor;
  const addresses: string[] = [];
  mapTexts(record.details, (text) => {
    if (isAddress(text)) addresses.push(text);
    return text;
  });
  if (addresses.length === 0 && !isOwn) return { record, personal: [] };
  const ids = await idsOf(em, tenantsNamed(record), addresses);
  const personal = new Map<string, PersonalText>();
  const details = mapTexts(record.details, (text, field) => {
    const id = ids.get(text.toLowerCase());
    if (id !== undefined) return id;
    if (!isAddress(text) && !(isOwn && field === 'name')) return text;
    const kept = personal.get(text) ?? withheld(text);
    personal.set(text, kept);
    return kept.as;
  });
  return {
    record: { ...record, details: details as AuditRecord['details'] },
    personal: [...personal.values()],
  };
}

/** Of users of these tenants, by their addresses in lower case. */
async function idsOf(
  em: SqlEntityManager,
  tenantIds: readonly string[],
  addresses: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (addresses.length === 0) return new Map();
  const found = await em.execute<{ id: string; email: string }[]>(
    `select id, lower(email) as email from identity."user"
     where lower(email) = any(array(select lower(jsonb_array_elements_text(?::jsonb))))
       and tenant_id in (select jsonb_array_elements_text(?::jsonb))`,
    [JSON.stringify(addresses), JSON.stringify(tenantIds)],
  );
  return new Map(found.map(({ id, email }) => [email, id]));
}
