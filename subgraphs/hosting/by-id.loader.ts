import DataLoader from 'dataloader';

import type { Operation } from '#platform/subgraph/operation.js';

interface Row {
  tenantId: string;
  id: string;
}

/** Rows of a tenant's table by their ids, also those that are gone, all of one operation in one query. */
export class ByIdLoader<Entity extends Row> {
  constructor(private readonly entity: new () => Entity) {}

  async load(operation: Operation, id: string): Promise<Entity | null> {
    const loader = operation.once(
      this,
      () => new DataLoader((ids: readonly string[]) => this.rows(operation, ids)),
    );
    return loader.load(id);
  }

  private async rows({ em, tenantId }: Operation, ids: readonly string[]): Promise<(Entity | null)[]> {
    const found = (await em.find(
      this.entity as new () => Row,
      { tenantId, id: { $in: [...ids] } },
      { limit: ids.length },
    )) as Entity[];
    const byId = new Map(found.map((row) => [row.id, row]));
    return ids.map((id) => byId.get(id) ?? null);
  }
}
