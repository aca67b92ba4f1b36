import { invalid } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';

import type { CanaryMembersArgs } from './canary.inputs.js';
import { CanaryMember } from './member.entity.js';

const most = 1_000;

/** The instances of one canary, in the order in which it comes to them. */
export async function membersOf(
  { em, tenantId }: Operation,
  canaryId: string,
  { first, after, status, instanceIds }: CanaryMembersArgs,
): Promise<CanaryMember[]> {
  const limit = first ?? 100;
  if (limit < 1 || limit > most) throw invalid('first', `First must be from 1 to ${most}`);
  if ((instanceIds?.length ?? 0) > most) throw invalid('instanceIds', `At most ${most} instances`);
  return em.find(
    CanaryMember,
    {
      tenantId,
      canaryId,
      ...(after == null ? {} : { position: { $gt: after } }),
      ...(status ? { status } : {}),
      ...(instanceIds ? { instanceId: { $in: instanceIds } } : {}),
    },
    { orderBy: { position: 'asc' }, limit },
  );
}
