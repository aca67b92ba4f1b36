import { LockMode } from '@mikro-orm/core';

import type { SqlEntityManager } from '#platform/database/database.js';
import { ApiError, notFound } from '#platform/errors.js';
import type { UserViewer } from '#platform/viewer.js';

import { User, UserRole } from './user.entity.js';

/**
 * Throws FORBIDDEN unless the viewer still has the role of their token, in the transaction that makes what would outlast
 * it. Whoever takes the role away waits for that one and finds what was made; or it is not made.
 */
export async function requireStanding(em: SqlEntityManager, viewer: UserViewer): Promise<User> {
  const { tenantId, userId: id } = viewer;
  const user = await em.findOne(User, { tenantId, id }, { lockMode: LockMode.PESSIMISTIC_READ });
  return requireUnchangedRole(viewer, user);
}

/**
 * Locks a user of the viewer's tenant who is to be managed, and the viewer, who must still have the role of their token.
 * With them all owners, and in one order: people who manage each other take turns, and who comes second is judged anew.
 */
export async function lockToManage(
  em: SqlEntityManager,
  viewer: UserViewer,
  id: string,
): Promise<{ user: User; owners: number }> {
  const { tenantId, userId } = viewer;
  const locked = await em.find(
    User,
    { tenantId, $or: [{ role: UserRole.OWNER }, { id: { $in: [id, userId] } }] },
    { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { id: 'asc' } },
  );
  requireUnchangedRole(viewer, locked.find((user) => user.id === userId) ?? null);
  const user = locked.find((one) => one.id === id);
  if (!user) throw notFound('User');
  return { user, owners: locked.filter(({ role }) => role === UserRole.OWNER).length };
}

/** Throws FORBIDDEN unless the viewer, as read anew, has the role of their token. */
export function requireUnchangedRole(viewer: UserViewer, user: User | null): User {
  const isOfRole = user?.role.toLowerCase() === viewer.role;
  if (user && isOfRole && (user.isAdministrator || !viewer.isAdministrator)) return user;
  throw new ApiError('FORBIDDEN', 'Your role has changed; sign in again', { reason: 'ROLE_CHANGED' });
}
