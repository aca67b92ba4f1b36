import type { Operation } from '#platform/subgraph/operation.js';

import { Tenant } from '../tenant/tenant.entity.js';
import { User } from '../user/user.entity.js';
import type { DelegationRequest } from './delegation-request.entity.js';

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

export async function requesterName(
  operation: Operation,
  { providerId: tenantId, requestedBy: id }: Pick<DelegationRequest, 'providerId' | 'requestedBy'>,
): Promise<string | null> {
  return operation.once(`name of ${id}`, async () => {
    const user = await operation.database.forTenant(tenantId).findOne(User, { tenantId, id });
    return user?.name ?? null;
  });
}
