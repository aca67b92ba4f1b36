import { notFound } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';

import { Deployment } from './deployment.entity.js';
import type { DeploymentFilter } from './deployment.inputs.js';

/** Deployments as watches of their clusters left them. No cluster is asked. */
export class DeploymentService {
  async page(operation: Operation, args: PageArgs, filter: DeploymentFilter): Promise<Page<Deployment>> {
    const window = pageWindow(args);
    const { tenantId } = operation;
    const { clusterId, status, isManaged } = filter;
    const leaving = status === 'DELETED' ? [] : await clustersLeaving(operation);
    const which = {
      tenantId,
      ...(status === 'DELETED' ? {} : { deletedAt: null }),
      ...(clusterId == null ? {} : { clusterId }),
      ...(leaving.length === 0 ? {} : { $not: { clusterId: { $in: leaving } } }),
      ...(status == null ? {} : { status }),
      ...(isManaged == null ? {} : { isManaged }),
    };
    const rows = await operation.em.find(
      Deployment,
      { ...which, ...(window.after === undefined ? {} : { id: { $gt: window.after } }) },
      { orderBy: { id: 'asc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => operation.em.count(Deployment, which));
  }

  async get(operation: Operation, id: string): Promise<Deployment> {
    const deployment = await this.find(operation, id);
    if (!deployment) throw notFound('Deployment');
    return deployment;
  }

  async find({ em, tenantId }: Operation, id: string): Promise<Deployment | null> {
    return em.findOne(Deployment, { tenantId, id });
  }
}

/** Clusters that were removed a moment ago, so that not all rows of them have ended yet. */
async function clustersLeaving({ em, tenantId }: Operation): Promise<string[]> {
  const leaving = await em.execute<{ id: string }[]>(
    `select c.id from hosting.cluster c where c.tenant_id = ? and c.deleted_at is not null and exists (
       select 1 from hosting.deployment d where d.tenant_id = c.tenant_id and d.cluster_id = c.id and d.deleted_at is null)`,
    [tenantId],
  );
  return leaving.map(({ id }) => id);
}
