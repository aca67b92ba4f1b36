import { notFound } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { Tenant } from '../tenant/tenant.entity.js';
import type { Acting } from './acting.js';
import { User, UserRole } from './user.entity.js';

/** Reads of users and of their tenant. */
export class UserService {
  async me(operation: Operation): Promise<User> {
    const { tenantId, userId } = operation.requireUser();
    const user = await operation.em.findOne(User, { tenantId, id: userId });
    if (!user) throw notFound('User');
    return user;
  }

  /**
   * Who is calling: the signed-in user, or the one of a provider who acts in a client's tenant, in the role that they
   * have there. The token was verified, so it may name the tenant that the user is of.
   */
  async whoever(operation: Operation): Promise<User> {
    const viewer = operation.requireViewer();
    if (viewer.kind !== 'delegate') return this.me(operation);
    const home = { tenantId: viewer.actorTenantId, id: viewer.actorId };
    const actor = await operation.database.forTenant(home.tenantId).findOne(User, home);
    if (!actor) throw notFound('User');
    const role = UserRole[viewer.role.toUpperCase() as keyof typeof UserRole];
    return Object.assign(new User(), actor, { tenantId: viewer.tenantId, role });
  }

  /** Under what a user acts who is the caller and a delegate; null for everybody else. */
  async acting(operation: Operation, user: User): Promise<Acting | null> {
    const { viewer } = operation;
    if (viewer?.kind !== 'delegate' || viewer.actorId !== user.id) return null;
    const id = viewer.actorTenantId;
    const home = await operation.database.forTenant(id).findOne(Tenant, { id });
    if (!home) throw notFound('Tenant');
    const endsAt = new Date(viewer.grantExpiresAt * 1000);
    return { delegationId: viewer.grantId, homeTenantId: id, homeTenantName: home.name, endsAt };
  }

  /** A user of the viewer's tenant, or null. A node finds those too whom its tenant lets act in it, by name only. */
  async find(operation: Operation, id: string): Promise<User | null> {
    const user = await operation.em.findOne(User, { tenantId: operation.tenantId, id });
    if (user || operation.viewer?.kind !== 'node') return user;
    const [delegate] = await operation.em.execute<Pick<User, 'id' | 'email' | 'name'>[]>(
      'select * from identity.find_delegate(?, ?, ?)',
      [operation.tenantId, id, operation.clock.now()],
    );
    return delegate ? Object.assign(new User(), delegate) : null;
  }

  /** The viewer's tenant. */
  async tenant(operation: Operation): Promise<Tenant> {
    return operation.once('tenant', async () => {
      const tenant = await operation.em.findOne(Tenant, { id: operation.tenantId });
      if (!tenant) throw notFound('Tenant');
      return tenant;
    });
  }
}
