import type { SqlEntityManager } from '#platform/database/database.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';
import { inTurns } from '#platform/slices.js';
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

/** An instance as its row has it: times as the driver gives them. */
export interface NodeRow extends Omit<KnownNode, 'offlineSince' | 'metricsAt'> {
  offlineSince: Date | string | null;
  metricsAt: Date | string | null;
  passed: number;
  known: number;
  applicable: number;
  violations: number;
  evaluatedAt: Date | string | null;
  /** What else is to be written of it, by its columns. */
  told?: NodeColumns;
}

/** What fleet tells of an instance. What is left out stays. */
export interface NodeColumns {
  name?: string;
  hostname?: string;
  status?: string;
  tags?: readonly string[];
  facts?: Facts;
  reported_at?: string;
  metrics?: Facts;
  metrics_at?: string;
  /** Whether `offline_since` is another, null included. */
  is_moved?: boolean;
  offline_since?: Date | null;
}

interface StoredResult {
  instanceId: string;
  policyId: string;
  status: Status;
  evidence: unknown;
  /** Whether the policy was mandatory then. */
  isEnforced: boolean;
}

export const nodeColumns = `id, name, hostname, status, tags, facts, offline_since as "offlineSince", metrics,
  metrics_at as "metricsAt", passed, known, applicable, violations, evaluated_at as "evaluatedAt"`;

export function knownNode(row: NodeRow): KnownNode {
  return { ...row, offlineSince: dateOf(row.offlineSince), metricsAt: dateOf(row.metricsAt) };
}

/**
 * Judges instances of one tenant, whose rows are locked, and writes what has changed. Answers how many: those that are left
 * after `atMostMs` are not judged.
 */
export async function evaluateNodes(
  step: EvaluationStep,
  tenantId: string,
  nodes: readonly NodeRow[],
  { rules: given, atMostMs }: { rules?: TenantRules; atMostMs?: number } = {},
): Promise<number> {
  if (nodes.length === 0) return 0;
  const { em, now, publish } = step;
  const { revision, refreshedAt, results: before } = await storedResults(em, tenantId, nodes);
  const rules = given ?? (await knownRules(em, tenantId, revision, now));
  const upserts: object[] = [];
  const removals: object[] = [];
  const rows: object[] = [];
  for await (const node of inTurns(nodes, atMostMs)) {
    const found = evaluate(knownNode(node), rules.policies, rules.exemptions, now.getTime());
    const stored = before.get(node.id) ?? new Map<string, StoredResult>();
    const judgedAt = dateOf(node.evaluatedAt)?.getTime() ?? 0;
    for (const { policy, status, evidence } of found.results) {
      const earlier = stored.get(policy.id);
      stored.delete(policy.id);
      const isEnforced = policy.isMandatory;
      const isViolated = isEnforced && status === 'FAIL';
      // What goes on is told again once its policy is another one, and each hour: whoever was not listening missed it.
      const isToldAgain = isViolated && (policy.changedAt > judgedAt || refreshedAt > judgedAt);
      if (isViolation(earlier) !== isViolated || isToldAgain)
        publish(violation(tenantId, node.id, policy, isViolated));
      if (earlier && isSame(earlier, { status, evidence, isEnforced })) continue;
      upserts.push({ instance_id: node.id, policy_id: policy.id, status, evidence, is_enforced: isEnforced });
    }
    for (const gone of stored.values()) {
      removals.push({ instance_id: node.id, policy_id: gone.policyId });
      if (isViolation(gone)) publish(cleared(tenantId, node.id, gone.policyId));
    }
    const isNews = node.evaluatedAt === null || hasNews(node, found);
    const previousScore = scoreOf(node);
    const previous = isNews ? { is_news: true, previous_score: previousScore } : {};
    rows.push({ ...node.told, ...rowOf(node.id, found), ...previous });
    if (isNews) publish(scored(tenantId, node.id, found, previousScore));
  }
  const judged = [tenantId, now, rules.revision, JSON.stringify(rows)];
  const changed = [JSON.stringify(removals), JSON.stringify(upserts)];
  if (removals.length + upserts.length === 0) await em.execute(storeNodes, judged);
  else await em.execute(storeAll, [...judged, ...changed]);
  return rows.length;
}

/** What is kept of these instances, and the tenant's revision and newest refresh, by one statement. */
async function storedResults(
  em: SqlEntityManager,
  tenantId: string,
  nodes: readonly NodeRow[],
): Promise<{ revision: number; refreshedAt: number; results: Map<string, Map<string, StoredResult>> }> {
  const [{ revision, refreshedAt, kept }] = (await em.execute<StoredRow[]>(
    `select s.revision::text as revision, s.refreshed_at as "refreshedAt",
       (select coalesce(json_agg(json_build_array(instance_id, policy_id, status, evidence, is_enforced)), '[]')
        from governance.result
        where tenant_id = ? and instance_id in (select jsonb_array_elements_text(?::jsonb))) as kept
     from (select 1) one left join governance.standing s on s.tenant_id = ?`,
    [tenantId, JSON.stringify(nodes.map(({ id }) => id)), tenantId],
  )) as [StoredRow];
  const results = new Map<string, Map<string, StoredResult>>();
  for (const [instanceId, policyId, status, evidence, isEnforced] of kept) {
    let of = results.get(instanceId);
    if (!of) results.set(instanceId, (of = new Map()));
    of.set(policyId, { instanceId, policyId, status, evidence, isEnforced });
  }
  return {
    revision: Number(revision ?? 0),
    refreshedAt: refreshedAt === null ? 0 : new Date(refreshedAt).getTime(),
    results,
  };
}

interface StoredRow {
  revision: string | null;
  refreshedAt: Date | string | null;
  kept: KeptResult[];
}

type KeptResult = [
  instanceId: string,
  policyId: string,
  status: Status,
  evidence: unknown,
  isEnforced: boolean,
];

const judgedStep = `with t as (select ?::text as tenant_id, ?::timestamptz as at, ?::bigint as revision),
  n as (select * from jsonb_to_recordset(?::jsonb) as n (id text, passed integer, known integer, applicable integer,
    violations integer, due_at timestamptz, name text, hostname text, status text, tags text[], facts jsonb,
    reported_at timestamptz, metrics jsonb, metrics_at timestamptz, is_moved boolean, offline_since timestamptz,
    is_news boolean, previous_score integer))`;

const judgedNodes = `update governance.node i set passed = n.passed, known = n.known, applicable = n.applicable,
    violations = n.violations, due_at = n.due_at, revision = t.revision, evaluated_at = t.at,
    name = coalesce(n.name, i.name), hostname = coalesce(n.hostname, i.hostname), status = coalesce(n.status, i.status),
    tags = coalesce(n.tags, i.tags), facts = coalesce(n.facts, i.facts),
    reported_at = coalesce(n.reported_at, i.reported_at), metrics = coalesce(n.metrics, i.metrics),
    metrics_at = coalesce(n.metrics_at, i.metrics_at),
    offline_since = case when n.is_moved then n.offline_since else i.offline_since end,
    previous_score = case when n.is_news then n.previous_score else i.previous_score end
  from t, n where i.tenant_id = t.tenant_id and i.id = n.id`;

const storeNodes = `${judgedStep} ${judgedNodes}`;

// A policy may be removed meanwhile, or be about to be: nothing is kept by it any more. Whoever removes it is not waited
// for, and what is kept before has the instance judged anew by the revision that has risen with it.
const storeAll = `${judgedStep},
  gone as (delete from governance.result r
    using t, jsonb_to_recordset(?::jsonb) as g (instance_id text, policy_id text)
    where r.tenant_id = t.tenant_id and r.instance_id = g.instance_id and r.policy_id = g.policy_id),
  found as (select * from jsonb_to_recordset(?::jsonb) as f (instance_id text, policy_id text, status text,
    evidence jsonb, is_enforced boolean)),
  there as (select p.id from governance.policy p
    where p.tenant_id = (select tenant_id from t) and p.id in (select policy_id from found) for key share skip locked),
  kept as (insert into governance.result as r (tenant_id, instance_id, policy_id, status, evidence, is_enforced, since)
    select t.tenant_id, f.instance_id, f.policy_id, f.status, f.evidence, f.is_enforced, t.at
    from t, found f join there on there.id = f.policy_id
    order by f.instance_id, f.policy_id
    on conflict (tenant_id, instance_id, policy_id) do update set status = excluded.status,
      evidence = excluded.evidence, is_enforced = excluded.is_enforced,
      since = case when r.status = excluded.status then r.since else excluded.since end)
  ${judgedNodes}`;

function rowOf(id: string, { passed, known, applicable, violations, dueAt }: Evaluation): object {
  return { id, passed, known, applicable, violations, due_at: dueAt };
}

function hasNews(before: NodeRow, after: Evaluation): boolean {
  return scoreOf(before) !== scoreOf(after) || before.violations !== after.violations;
}

function scored(
  tenantId: string,
  instanceId: string,
  found: Evaluation,
  previousScore: number | null,
): OutboxEvent {
  return {
    topic: 'governance.score.changed',
    tenantId,
    entityId: instanceId,
    payload: {
      instanceId,
      score: scoreOf(found),
      previousScore,
      violations: found.violations,
    } satisfies ScoreChanged,
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
