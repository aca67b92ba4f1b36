import { createHash } from 'node:crypto';

import { LRUCache } from 'lru-cache';

import type { SqlEntityManager } from '#platform/database/database.js';

import { isAboutActions, isAboutClusters, metricsAmong } from '../fact/fact.catalogue.js';
import { readGroups, type Groups } from '../group/groups.loader.js';
import { mostInForce } from '../policy/in-force.js';
import { groupIdsOf, scopeTest, type Scope } from '../policy/scope.js';
import { compileRule, type CompiledRule } from '../rule/compile.js';
import { pathsOf, type Rule } from '../rule/rule.js';
import { weightOf } from '../score/formula.js';
import { exemptionKey, type ActivePolicy, type Exemptions } from './evaluate.js';

/** What a tenant's instances are judged by. */
export interface TenantRules {
  revision: number;
  policies: readonly ActivePolicy[];
  exemptions: Exemptions;
}

interface PolicyRow {
  id: string;
  name: string;
  severity: string;
  enforcement: string;
  rule: Rule;
  appliesTo: Scope;
  /** Of one that is kept. */
  updatedAt?: Date | string;
}

/** By what the rule says: a version may be read in a transaction that is undone, and come again with another rule. */
const compiled = new LRUCache<string, CompiledRule>({ max: 5_000 });

const known = new LRUCache<string, TenantRules>({ max: 500 });

/**
 * The same, read once for each revision. Not in a transaction that raises it, whose revision may yet come to nothing. What is
 * read may be newer than the revision, and is then judged once more.
 */
export async function knownRules(
  em: SqlEntityManager,
  tenantId: string,
  revision: number,
  now: Date,
): Promise<TenantRules> {
  const kept = known.get(tenantId);
  if (kept && kept.revision === revision) return kept;
  const rules = await readRules(em, tenantId, now);
  known.set(tenantId, rules);
  return rules;
}

/** The revision is read first: what is read after it may be newer, and is then judged once more. */
export async function readRules(em: SqlEntityManager, tenantId: string, now: Date): Promise<TenantRules> {
  const [standing] = await em.execute<{ revision: string }[]>(
    'select revision::text as revision from governance.standing where tenant_id = ?',
    [tenantId],
  );
  const rows = await em.execute<PolicyRow[]>(
    `select id, name, severity, enforcement, rule, applies_to as "appliesTo", updated_at as "updatedAt"
     from governance.policy where tenant_id = ? and enforcement <> 'DISABLED' order by id limit ?`,
    [tenantId, await mostInForce(em, tenantId)],
  );
  const exempt = await em.execute<
    { policyId: string; instanceId: string; expiresAt: Date | string | null }[]
  >(
    `select policy_id as "policyId", instance_id as "instanceId", expires_at as "expiresAt"
     from governance.exemption where tenant_id = ? and (expires_at is null or expires_at > ?)`,
    [tenantId, now],
  );
  const groups = await readGroups(
    em,
    tenantId,
    rows.flatMap(({ appliesTo }) => groupIdsOf(appliesTo)),
  );
  return {
    revision: Number(standing?.revision ?? 0),
    policies: rows.map((row) => toActive(row, compiledOf(row), groups)),
    exemptions: new Map(
      exempt.map(({ policyId, instanceId, expiresAt }) => [
        exemptionKey(policyId, instanceId),
        expiresAt === null ? Infinity : new Date(expiresAt).getTime(),
      ]),
    ),
  };
}

export function toActive(row: PolicyRow, rule: CompiledRule, groups: Groups): ActivePolicy {
  const paths = pathsOf(row.rule);
  return {
    id: row.id,
    name: row.name,
    severity: row.severity,
    isMandatory: row.enforcement === 'MANDATORY',
    changedAt: new Date(row.updatedAt ?? 0).getTime(),
    weight: weightOf[row.severity] ?? 1,
    paths,
    isAboutActions: isAboutActions(paths),
    isAboutClusters: isAboutClusters(paths),
    isAboutMetrics: metricsAmong(paths).length > 0,
    appliesTo: scopeTest(row.appliesTo, groups),
    rule,
  };
}

function compiledOf({ rule }: Pick<PolicyRow, 'rule'>): CompiledRule {
  const key = createHash('sha256').update(JSON.stringify(rule)).digest('base64url');
  let known = compiled.get(key);
  if (!known) compiled.set(key, (known = compileRule(rule)));
  return known;
}
