import DataLoader from 'dataloader';

import type { Operation } from '#platform/subgraph/operation.js';

import { Canary } from './canary.entity.js';

/** A canary that another area's answer leads to, for whoever may see canaries; those of one operation are read together. */
export async function referredCanary(operation: Operation, id: string): Promise<Canary | null> {
  operation.require('governance.canary.read');
  const loader = operation.once(
    Canary,
    () =>
      new DataLoader<string, Canary | null>(async (ids) => {
        const { em, tenantId } = operation;
        const found = await em.find(Canary, { tenantId, id: { $in: [...ids] } });
        const byId = new Map(found.map((canary) => [canary.id, canary]));
        return ids.map((wanted) => byId.get(wanted) ?? null);
      }),
  );
  return loader.load(id);
}
