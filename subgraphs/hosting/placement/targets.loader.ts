import DataLoader from 'dataloader';

import type { Operation } from '#platform/subgraph/operation.js';

import { Deployment } from '../deployment/deployment.entity.js';
import { PlacementTarget } from './target.entity.js';

const mostClusters = 200;

/** Targets of placements, and their deployments, all of one operation in one query each. */
export class TargetsLoader {
  async of(operation: Operation, placementId: string): Promise<PlacementTarget[]> {
    const loader = operation.once(
      TargetsLoader,
      () => new DataLoader((ids: readonly string[]) => this.load(operation, ids)),
    );
    return loader.load(placementId);
  }

  async deployment(operation: Operation, id: string | null): Promise<Deployment | null> {
    if (id === null) return null;
    const loader = operation.once(
      PlacementTarget,
      () => new DataLoader((ids: readonly string[]) => this.loadDeployments(operation, ids)),
    );
    return loader.load(id);
  }

  private async load({ em, tenantId }: Operation, ids: readonly string[]): Promise<PlacementTarget[][]> {
    const found = await em.find(
      PlacementTarget,
      { tenantId, placementId: { $in: [...ids] } },
      { orderBy: { partition: 'asc', clusterId: 'asc' }, limit: ids.length * mostClusters },
    );
    const by = new Map<string, PlacementTarget[]>(ids.map((id) => [id, []]));
    for (const target of found) by.get(target.placementId)?.push(target);
    return ids.map((id) => by.get(id) ?? []);
  }

  private async loadDeployments(
    { em, tenantId }: Operation,
    ids: readonly string[],
  ): Promise<(Deployment | null)[]> {
    const found = await em.find(Deployment, { tenantId, id: { $in: [...ids] } }, { limit: ids.length });
    const byId = new Map(found.map((each) => [each.id, each]));
    return ids.map((id) => byId.get(id) ?? null);
  }
}
