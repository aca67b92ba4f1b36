import DataLoader from 'dataloader';

import type { Operation } from '#platform/subgraph/operation.js';

import { Cluster } from './cluster.entity.js';

/** Clusters by their ids, all of one operation in one query. */
export class ClusterLoader {
  async byId(operation: Operation, id: string): Promise<Cluster | null> {
    const loader = operation.once(
      ClusterLoader,
      () => new DataLoader((ids: readonly string[]) => this.load(operation, ids)),
    );
    return loader.load(id);
  }

  private async load({ em, tenantId }: Operation, ids: readonly string[]): Promise<(Cluster | null)[]> {
    const found = await em.find(
      Cluster,
      { tenantId, id: { $in: [...ids] }, deletedAt: null },
      { limit: ids.length },
    );
    const byId = new Map(found.map((cluster) => [cluster.id, cluster]));
    return ids.map((id) => byId.get(id) ?? null);
  }
}
