import type { SqlEntityManager } from '#platform/database/database.js';
import { inTurns } from '#platform/slices.js';

import type { Facts } from '../fact/flatten.js';
import { readRules, type TenantRules } from '../result/active-policies.loader.js';
import { evaluate, noInstance, type Evaluation } from '../result/evaluate.js';

export interface JudgeStep {
  em: SqlEntityManager;
  now: Date;
}

interface ClusterRow {
  id: string;
  tags: readonly string[];
  facts: Facts;
  offlineSince: Date | string | null;
}

const columns = 'id, tags, facts, offline_since as "offlineSince"';
/** More than that a tenant has not. */
const mostClusters = 200;

/** Judges clusters of a tenant by the same rules as instances: all of them, one, or those that are due. */
export async function judgeClusters(
  { em, now }: JudgeStep,
  tenantId: string,
  { id, isDue = false, rules }: { id?: string; isDue?: boolean; rules?: TenantRules } = {},
): Promise<number> {
  const which = [...(id === undefined ? [] : ['and id = ?']), ...(isDue ? ['and due_at <= ?'] : [])];
  const rows = await em.execute<ClusterRow[]>(
    `select ${columns} from governance.cluster where tenant_id = ? ${which.join(' ')} order by id limit ? for update`,
    [tenantId, ...(id === undefined ? [] : [id]), ...(isDue ? [now] : []), mostClusters],
  );
  if (rows.length === 0) return 0;
  const { policies } = rules ?? (await readRules(em, tenantId, now));
  const results: object[] = [];
  const scores: object[] = [];
  for await (const row of inTurns(rows)) {
    // Exemptions are of instances.
    const offlineSince = row.offlineSince === null ? null : new Date(row.offlineSince);
    const cluster = { ...row, ...noInstance, offlineSince, isCluster: true };
    const found = evaluate(cluster, policies, new Map(), now.getTime());
    results.push(...resultsOf(row.id, found));
    scores.push(scoresOf(row.id, found));
  }
  const ids = JSON.stringify(rows.map((row) => row.id));
  const told = JSON.stringify(results);
  await em.execute(forget, [tenantId, ids, told]);
  await em.execute(store, [told, tenantId, now]);
  await em.execute(storeScores, [now, JSON.stringify(scores), tenantId]);
  return rows.length;
}

const record = '(cluster_id text, policy_id text, status text, evidence jsonb)';

const forget = `delete from governance.cluster_result r
  where r.tenant_id = ? and r.cluster_id in (select jsonb_array_elements_text(?::jsonb)) and not exists (
    select 1 from jsonb_to_recordset(?::jsonb) as n ${record}
    where n.cluster_id = r.cluster_id and n.policy_id = r.policy_id)`;

// A policy may be removed meanwhile, or be about to be: its results go with it then. Whoever removes it waits for these
// clusters, and is not waited for.
const store = `with n as (select * from jsonb_to_recordset(?::jsonb) as n ${record}),
  there as (select p.tenant_id, p.id from governance.policy p
    where p.tenant_id = ? and p.id in (select policy_id from n) for key share skip locked)
  insert into governance.cluster_result as r (tenant_id, cluster_id, policy_id, status, evidence, since)
  select p.tenant_id, n.cluster_id, n.policy_id, n.status, n.evidence, t.at
  from (select ?::timestamptz as at) t, n join there p on p.id = n.policy_id
  on conflict (tenant_id, cluster_id, policy_id) do update set status = excluded.status, evidence = excluded.evidence,
    since = case when r.status = excluded.status then r.since else excluded.since end`;

const storeScores = `update governance.cluster c set passed = n.passed, known = n.known, applicable = n.applicable,
    violations = n.violations, due_at = n.due_at, evaluated_at = t.at
  from (select ?::timestamptz as at) t, jsonb_to_recordset(?::jsonb) as n (id text, passed integer, known integer,
    applicable integer, violations integer, due_at timestamptz)
  where c.tenant_id = ? and c.id = n.id`;

function resultsOf(clusterId: string, { results }: Evaluation): object[] {
  return results.map(({ policy, status, evidence }) => ({
    cluster_id: clusterId,
    policy_id: policy.id,
    status,
    evidence,
  }));
}

function scoresOf(id: string, { passed, known, applicable, violations, dueAt }: Evaluation): object {
  return { id, passed, known, applicable, violations, due_at: dueAt };
}
