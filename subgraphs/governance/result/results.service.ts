import DataLoader from 'dataloader';

import { notFound } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page } from '#platform/subgraph/paging.js';

import { Policy } from '../policy/policy.entity.js';
import {
  PolicyResult,
  type PolicyCounts,
  type PolicyResultsArgs,
  type PolicyStatus,
} from './result.entity.js';

/** More policies than that a tenant has not. */
const mostOfInstance = 200;

/** Reads what was found; see evaluation.service.ts for who writes it. */
export class ResultsService {
  /** Of one policy, by instance. */
  async page(
    operation: Operation,
    { policyId, status, ...args }: PolicyResultsArgs,
  ): Promise<Page<PolicyResult & { id: string }>> {
    const window = pageWindow(args);
    const { tenantId, em } = operation;
    if (!(await this.policy(operation, policyId))) throw notFound('Policy');
    const matching = { tenantId, policyId, ...(status ? { status } : {}) };
    const rows = await em.find(
      PolicyResult,
      { ...matching, ...(window.after === undefined ? {} : { instanceId: { $gt: window.after } }) },
      { orderBy: { instanceId: 'asc' }, limit: window.size + 1 },
    );
    const withIds = rows.map((row) => Object.assign(row, { id: row.instanceId }));
    return toPage(withIds, window, () => em.count(PolicyResult, matching));
  }

  async ofInstance(
    operation: Operation,
    instanceId: string,
    status: PolicyStatus | null | undefined,
  ): Promise<PolicyResult[]> {
    const loader = operation.once(
      ResultsService,
      () => new DataLoader((ids: readonly string[]) => this.loadResults(operation, ids)),
    );
    const results = await loader.load(instanceId);
    return status ? results.filter((result) => result.status === status) : results;
  }

  async policy(operation: Operation, id: string): Promise<Policy | null> {
    const loader = operation.once(
      Policy,
      () => new DataLoader((ids: readonly string[]) => loadPolicies(operation, ids)),
    );
    return loader.load(id);
  }

  async counts(operation: Operation, policyId: string): Promise<PolicyCounts> {
    const loader = operation.once(
      'policy counts',
      () => new DataLoader((ids: readonly string[]) => loadCounts(operation, ids)),
    );
    return loader.load(policyId);
  }

  private async loadResults({ em, tenantId }: Operation, ids: readonly string[]): Promise<PolicyResult[][]> {
    const found = await em.find(
      PolicyResult,
      { tenantId, instanceId: { $in: [...ids] } },
      { orderBy: { policyId: 'asc' }, limit: ids.length * mostOfInstance },
    );
    const byInstance = new Map<string, PolicyResult[]>(ids.map((id) => [id, []]));
    for (const result of found) byInstance.get(result.instanceId)?.push(result);
    return ids.map((id) => byInstance.get(id) ?? []);
  }
}

async function loadPolicies({ em, tenantId }: Operation, ids: readonly string[]): Promise<(Policy | null)[]> {
  const found = await em.find(Policy, { tenantId, id: { $in: [...ids] } });
  const byId = new Map(found.map((policy) => [policy.id, policy]));
  return ids.map((id) => byId.get(id) ?? null);
}

async function loadCounts({ em, tenantId }: Operation, ids: readonly string[]): Promise<PolicyCounts[]> {
  const rows = await em.execute<{ policyId: string; status: PolicyStatus; count: number }[]>(
    // Of clusters a tenant has few.
    `select policy_id as "policyId", status, sum(results)::integer as count
     from (select tenant_id, policy_id, status, results from governance.result_count
       union all select tenant_id, policy_id, status, 1 from governance.cluster_result) judged
     where tenant_id = ? and policy_id in (select jsonb_array_elements_text(?::jsonb)) group by policy_id, status`,
    [tenantId, JSON.stringify(ids)],
  );
  const of = (id: string, status: string) =>
    rows.find((row) => row.policyId === id && row.status === status)?.count ?? 0;
  return ids.map((id) => ({
    passing: of(id, 'PASS'),
    failing: of(id, 'FAIL'),
    unknown: of(id, 'UNKNOWN'),
    exempt: of(id, 'EXEMPT'),
  }));
}
