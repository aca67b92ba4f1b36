import DataLoader from 'dataloader';

import type { SqlEntityManager } from '#platform/database/database.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { invalidFields } from '#platform/validation.js';
import type { Viewer } from '#platform/viewer.js';

import type { DelegationUser } from './delegation-user.js';
import type { Delegation } from './delegation.entity.js';

/** What names users of a provider, or null where it is for all of them. */
type Naming = Pick<Delegation, 'providerId' | 'userIds'>;

/** Whether the user of the provider is among those whom it is for. */
export function isFor({ userIds }: Pick<Naming, 'userIds'>, userId: string): boolean {
  return userIds === null || userIds.includes(userId);
}

/**
 * The ids of users of the client's provider by their addresses, in a transaction of the client; null where none are given,
 * which is for all. Throws VALIDATION_FAILED for an address that none of them has.
 */
export async function usersNamed(
  em: SqlEntityManager,
  emails: readonly string[] | null | undefined,
): Promise<string[] | null> {
  if (emails == null) return null;
  const wanted = emails.map((email) => email.toLowerCase());
  const found = await em.execute<{ id: string; email: string }[]>(
    'select * from identity.provider_users(array(select lower(jsonb_array_elements_text(?::jsonb))))',
    [JSON.stringify(emails)],
  );
  const known = new Set(found.map(({ email }) => email.toLowerCase()));
  const faults = wanted.flatMap((email, index) =>
    known.has(email) ? [] : [[`input.userEmails.${index}`, 'No user of the provider has this address']],
  );
  if (faults.length > 0) throw invalidFields(Object.fromEntries(faults));
  return found.map(({ id }) => id).toSorted();
}

/** Those of them who are still of the provider, as its client or it itself sees them. */
export async function namedUsers(
  em: SqlEntityManager,
  providerId: string,
  ids: readonly string[],
): Promise<DelegationUser[]> {
  return em.execute<DelegationUser[]>(
    'select * from identity.named_users(?, array(select jsonb_array_elements_text(?::jsonb))) order by id',
    [providerId, JSON.stringify(ids)],
  );
}

/**
 * The same for the owners of the client, and for the provider's own users; null for others, and where it is for all. All
 * of one operation come by one query.
 */
export async function shownUsers(
  operation: Operation,
  { providerId, userIds }: Naming,
): Promise<DelegationUser[] | null> {
  if (userIds === null || !mayKnow(operation.viewer, providerId)) return null;
  const loader = operation.once(
    `users of ${providerId}`,
    () =>
      new DataLoader(async (ids: readonly string[]) => {
        const byId = new Map(
          (await namedUsers(operation.em, providerId, ids)).map((user) => [user.id, user]),
        );
        return ids.map((id) => byId.get(id) ?? null);
      }),
  );
  const users = await Promise.all(userIds.map((id) => loader.load(id)));
  return users.filter((user) => user !== null);
}

/** Whether people of the provider are shown by name and not by id alone. */
export function mayKnow(viewer: Viewer | undefined, providerId: string): boolean {
  return viewer?.kind === 'user' && (viewer.tenantId === providerId || viewer.role === 'owner');
}
