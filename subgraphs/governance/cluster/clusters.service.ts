import DataLoader from 'dataloader';

import type { Operation } from '#platform/subgraph/operation.js';

import { scoreOf, type Weights } from '../score/formula.js';
import type { ClusterScore } from '../score/score.types.js';
import { shown } from '../score/scores.service.js';
import type { ClusterPolicyResult } from './cluster.reference.js';

interface Row extends Weights {
  id: string;
  violations: number;
  evaluatedAt: Date | null;
}

const columns = 'id, passed, known, applicable, violations, evaluated_at as "evaluatedAt"';
/** More than that a tenant has not, of clusters and of policies. */
const most = 200;

/** How clusters were judged last. */
export class ClustersService {
  async all({ database, tenantId }: Operation): Promise<ClusterScore[]> {
    const rows = await database.select<Row>(
      tenantId,
      `select ${columns} from governance.cluster where tenant_id = ? order by id limit ?`,
      [tenantId, most],
    );
    return rows.map(toScore);
  }

  /** Null of what is no cluster of the tenant, or one that governance has yet to hear of. */
  async find(operation: Operation, id: string): Promise<ClusterScore | null> {
    const loader = operation.once(
      ClustersService,
      () => new DataLoader((ids: readonly string[]) => this.load(operation, ids)),
    );
    return loader.load(id);
  }

  async results(operation: Operation, clusterId: string): Promise<ClusterPolicyResult[]> {
    const loader = operation.once(
      'cluster results',
      () => new DataLoader((ids: readonly string[]) => this.loadResults(operation, ids)),
    );
    return loader.load(clusterId);
  }

  private async load(
    { database, tenantId }: Operation,
    ids: readonly string[],
  ): Promise<(ClusterScore | null)[]> {
    const rows = await database.select<Row>(
      tenantId,
      `select ${columns} from governance.cluster
       where tenant_id = ? and id in (select jsonb_array_elements_text(?::jsonb))`,
      [tenantId, JSON.stringify(ids)],
    );
    const byId = new Map(rows.map((row) => [row.id, toScore(row)]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  private async loadResults(
    { database, tenantId }: Operation,
    ids: readonly string[],
  ): Promise<ClusterPolicyResult[][]> {
    const rows = await database.select<ClusterPolicyResult>(
      tenantId,
      `select cluster_id as "clusterId", policy_id as "policyId", status, evidence, since from governance.cluster_result
       where tenant_id = ? and cluster_id in (select jsonb_array_elements_text(?::jsonb))
       order by cluster_id, policy_id limit ?`,
      [tenantId, JSON.stringify(ids), ids.length * most],
    );
    return ids.map((id) => rows.filter(({ clusterId }) => clusterId === id));
  }
}

function toScore(row: Row): ClusterScore {
  const { id, violations, evaluatedAt } = row;
  return { ...shown(row), clusterId: id, score: scoreOf(row), violations, evaluatedAt };
}
