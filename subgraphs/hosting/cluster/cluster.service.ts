import { notFound } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';

import { Cluster } from './cluster.entity.js';
import type { ClusterFilter } from './cluster.inputs.js';

/** Clusters as tenants see them. */
export class ClusterService {
  /** In the order in which they were registered. */
  async page(operation: Operation, args: PageArgs, filter: ClusterFilter): Promise<Page<Cluster>> {
    const window = pageWindow(args);
    const { tenantId } = operation;
    const { status, region, tag } = filter;
    const which = {
      tenantId,
      deletedAt: null,
      ...(status == null ? {} : { status }),
      ...(region == null ? {} : { region }),
      ...(tag == null ? {} : { tags: { $contains: [tag] } }),
    };
    const rows = await operation.em.find(
      Cluster,
      { ...which, ...(window.after === undefined ? {} : { id: { $gt: window.after } }) },
      { orderBy: { id: 'asc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => operation.em.count(Cluster, which));
  }

  async get(operation: Operation, id: string): Promise<Cluster> {
    const cluster = await this.find(operation, id);
    if (!cluster) throw notFound('Cluster');
    return cluster;
  }

  async find({ em, tenantId }: Operation, id: string): Promise<Cluster | null> {
    return em.findOne(Cluster, { tenantId, id, deletedAt: null });
  }

  /** Removed ones too, for whoever is told that one was. */
  async told(operation: Operation, id: string): Promise<Cluster> {
    const { em, tenantId } = operation;
    const cluster = await em.findOne(Cluster, { tenantId, id });
    if (!cluster) throw notFound('Cluster');
    return cluster;
  }
}
