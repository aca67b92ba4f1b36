import type { Operation } from '#platform/subgraph/operation.js';

import { ByIdLoader } from '../by-id.loader.js';
import { Cluster } from './cluster.entity.js';

/** Clusters by their ids, all of one operation in one query. */
export class ClusterLoader {
  private readonly rows = new ByIdLoader(Cluster);

  async byId(operation: Operation, id: string): Promise<Cluster | null> {
    const cluster = await this.known(operation, id);
    return cluster?.deletedAt === null ? cluster : null;
  }

  /** Removed ones too: other areas name a cluster until they have heard that it was. */
  async known(operation: Operation, id: string): Promise<Cluster | null> {
    return this.rows.load(operation, id);
  }
}
