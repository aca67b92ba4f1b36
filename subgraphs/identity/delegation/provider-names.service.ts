import DataLoader from 'dataloader';

import type { Operation } from '#platform/subgraph/operation.js';

import { Tenant } from '../tenant/tenant.entity.js';
import { User } from '../user/user.entity.js';
import type { DelegationRequest } from './delegation-request.entity.js';
import { mayKnow } from './named-users.service.js';

// Neither may be read as another tenant's otherwise: both are named by a grant or a request that the viewer may read.

export async function providerName(
  operation: Operation,
  { providerId: id }: { providerId: string },
): Promise<string | null> {
  return operation.once(`name of ${id}`, async () => {
    const provider = await operation.database.forTenant(id).findOne(Tenant, { id });
    return provider?.name ?? null;
  });
}

/** For those to whom people of the provider are shown; null for others. All of one operation come by one query. */
export async function requesterName(
  operation: Operation,
  { providerId: tenantId, requestedBy }: Pick<DelegationRequest, 'providerId' | 'requestedBy'>,
): Promise<string | null> {
  if (!mayKnow(operation.viewer, tenantId)) return null;
  const loader = operation.once(
    `names of users of ${tenantId}`,
    () =>
      new DataLoader(async (ids: readonly string[]) => {
        const users = await operation.database
          .forTenant(tenantId)
          .find(User, { tenantId, id: { $in: [...ids] } });
        const names = new Map(users.map(({ id, name }) => [id, name]));
        return ids.map((id) => names.get(id) ?? null);
      }),
  );
  return loader.load(requestedBy);
}
