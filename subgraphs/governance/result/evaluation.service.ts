import type { SqlEntityManager } from '#platform/database/database.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';
import type { ScoreChanged, ViolationChanged } from '#schema/events.js';

import type { Facts } from '../fact/flatten.js';
import { scoreOf } from '../score/formula.js';
import { knownRules, type TenantRules } from './active-policies.loader.js';
import { evaluate, type Evaluation, type KnownNode, type Status } from './evaluate.js';

/** The transaction in which results are written. */
export interface EvaluationStep {
  em: SqlEntityManager;
  now: Date;
  publish: (event: OutboxEvent) => void;
}

export interface NodeRow extends KnownNode {
  name: string;
  passed: number;
  known: number;
  applicable: number;
  violations: number;
  evaluatedAt: Date | string | null;
}

interface StoredResult {
  instanceId: string;
  policyId: string;
  status: Status;
  evidence: unknown;
  /** Whether the policy was mandatory then. */
  isEnforced: boolean;
}

export const nodeColumns = `id, name, tags, facts, offline_since as "offlineSince", passed, known,
  applicable, violations, evaluated_at as "evaluatedAt"`;

/** Judges instances of one tenant, whose rows are locked, and writes what has changed. */
export async function evaluateNodes(
  step: EvaluationStep,
  tenantId: string,
  nodes: readonly NodeRow[],
  given?: TenantRules,
): Promise<void> {
  if (nodes.length === 0) return;
  const { em, now, publish } = step;
  const rules = given ?? (await knownRules(em, tenantId, now));
  const before = await storedResults(em, tenantId, nodes);
  const upserts: object[] = [];
  const removals: object[] = [];
  const rows: object[] = [];
  for (const node of nodes) {
    const known: KnownNode = { ...node, offlineSince: dateOf(node.offlineSince) };
    const found = evaluate(known, rules.policies, rules.exemptions, now.getTime());
    const stored = before.get(node.id) ?? new Map<string, StoredResult>();
    for (const { policy, status, evidence } of found.results) {
      const earlier = stored.get(policy.id);
      stored.delete(policy.id);
      const isEnforced = policy.isMandatory;
      if (earlier && isSame(earlier, { status, evidence, isEnforced })) continue;
      upserts.push({ instance_id: node.id, policy_id: policy.id, status, evidence, is_enforced: isEnforced });
      const isViolated = isEnforced && status === 'FAIL';
      if (isViolation(earlier) !== isViolated) publish(violation(tenantId, node.id, policy, isViolated));
    }
    for (const gone of stored.values()) {
      removals.push({ instance_id: node.id, policy_id: gone.policyId });
      if (isViolation(gone)) publish(cleared(tenantId, node.id, gone.policyId));
    }
    rows.push(rowOf(node.id, found));
    if (node.evaluatedAt === null || hasNews(node, found)) publish(scored(tenantId, node.id, found));
  }
  if (removals.length > 0) await em.execute(removeResults, [JSON.stringify(removals), tenantId]);
  if (upserts.length > 0) await em.execute(storeResults, [tenantId, now, JSON.stringify(upserts)]);
  await em.execute(storeNodes, [rules.revision, now, JSON.stringify(rows), tenantId]);
}

async function storedResults(
  em: SqlEntityManager,
  tenantId: string,
  nodes: readonly NodeRow[],
): Promise<Map<string, Map<string, StoredResult>>> {
  const rows = await em.execute<StoredResult[]>(
    `select instance_id as "instanceId", policy_id as "policyId", status, evidence,
       is_enforced as "isEnforced" from governance.result
     where tenant_id = ? and instance_id in (select jsonb_array_elements_text(?::jsonb))`,
    [tenantId, JSON.stringify(nodes.map(({ id }) => id))],
  );
  const found = new Map<string, Map<string, StoredResult>>();
  for (const row of rows) {
    let of = found.get(row.instanceId);
    if (!of) found.set(row.instanceId, (of = new Map()));
    of.set(row.policyId, row);
  }
  return found;
}

// A policy may be removed meanwhile: its results are gone with it then.
const storeResults = `insert into governance.result as r (tenant_id, instance_id, policy_id, status, evidence, is_enforced, since)
  select p.tenant_id, n.instance_id, n.policy_id, n.status, n.evidence, n.is_enforced, t.at
  from (select ?::text as tenant_id, ?::timestamptz as at) t,
    jsonb_to_recordset(?::jsonb) as n (instance_id text, policy_id text, status text, evidence jsonb,
      is_enforced boolean)
  join governance.policy p on p.id = n.policy_id
  where p.tenant_id = t.tenant_id
  order by n.instance_id, n.policy_id
  on conflict (tenant_id, instance_id, policy_id) do update set status = excluded.status, evidence = excluded.evidence,
    is_enforced = excluded.is_enforced, since = case when r.status = excluded.status then r.since else excluded.since end`;

const removeResults = `delete from governance.result r
  using jsonb_to_recordset(?::jsonb) as n (instance_id text, policy_id text)
  where r.tenant_id = ? and r.instance_id = n.instance_id and r.policy_id = n.policy_id`;

const storeNodes = `update governance.node i set passed = n.passed, known = n.known, applicable = n.applicable,
    violations = n.violations, due_at = n.due_at, revision = t.revision, evaluated_at = t.at
  from (select ?::bigint as revision, ?::timestamptz as at) t,
    jsonb_to_recordset(?::jsonb) as n (id text, passed integer, known integer, applicable integer, violations integer,
      due_at timestamptz)
  where i.tenant_id = ? and i.id = n.id`;

function rowOf(id: string, { passed, known, applicable, violations, dueAt }: Evaluation): object {
  return { id, passed, known, applicable, violations, due_at: dueAt };
}

function hasNews(before: NodeRow, after: Evaluation): boolean {
  return scoreOf(before) !== scoreOf(after) || before.violations !== after.violations;
}

function scored(tenantId: string, instanceId: string, found: Evaluation): OutboxEvent {
  return {
    topic: 'governance.score.changed',
    tenantId,
    entityId: instanceId,
    payload: { instanceId, score: scoreOf(found), violations: found.violations } satisfies ScoreChanged,
  };
}

function violation(
  tenantId: string,
  instanceId: string,
  { id: policyId, name: policyName, severity }: { id: string; name: string; severity: string },
  isViolated: boolean,
): OutboxEvent {
  return {
    topic: 'governance.violation.changed',
    tenantId,
    entityId: instanceId,
    payload: { instanceId, policyId, policyName, severity, isViolated } satisfies ViolationChanged,
  };
}

function cleared(tenantId: string, instanceId: string, policyId: string): OutboxEvent {
  return violation(tenantId, instanceId, { id: policyId, name: '', severity: 'LOW' }, false);
}

function isViolation(result: StoredResult | undefined): boolean {
  return result?.isEnforced === true && result.status === 'FAIL';
}

function isSame(
  earlier: StoredResult,
  { status, evidence, isEnforced }: Pick<StoredResult, 'status' | 'evidence' | 'isEnforced'>,
): boolean {
  return (
    earlier.status === status && earlier.isEnforced === isEnforced && sameJson(earlier.evidence, evidence)
  );
}

function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

/** The database gives keys back in an order of its own. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value ?? null;
  return Object.fromEntries(
    Object.entries(value as Facts)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, sorted(inner)]),
  );
}

function dateOf(value: Date | string | null): Date | null {
  return value === null ? null : new Date(value);
}
