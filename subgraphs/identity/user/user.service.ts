import { notFound } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { Tenant } from '../tenant/tenant.entity.js';
import { User } from './user.entity.js';

/** Reads of users and of their tenant. */
export class UserService {
  async me(operation: Operation): Promise<User> {
    const { tenantId, userId } = operation.requireUser();
    const user = await operation.em.findOne(User, { tenantId, id: userId });
    if (!user) throw notFound('User');
    return user;
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
