import { advisoryLock } from '#platform/database/advisory-lock.js';
import type { SqlEntityManager } from '#platform/database/database.js';
import { invalid } from '#platform/errors.js';

import { patternLimits, weightOf } from '../rule/pattern.js';
import { patternsOf, type Rule } from '../rule/rule.js';
import { PolicyEnforcement } from './policy.entity.js';

interface Kept {
  tenantId: string;
  id: string;
  rule: Rule;
  enforcement: PolicyEnforcement;
}

/** What the patterns of a policy add to the time that judging one instance takes. */
export function patternsInForce({ rule, enforcement }: Pick<Kept, 'rule' | 'enforcement'>): number {
  return enforcement === PolicyEnforcement.DISABLED ? 0 : weigh(rule);
}

/** A search costs something however short its pattern is. */
const weigh = (rule: Rule) =>
  patternsOf(rule).reduce((sum, pattern) => sum + Math.max(weightOf(pattern), patternLimits.leastInForce), 0);

/**
 * Throws VALIDATION_FAILED where the patterns of a tenant's policies would be too large together: each instance is judged
 * by all of them. A policy that comes to no more than `before` is taken, whatever the others come to.
 */
export async function requirePatternsFit(em: SqlEntityManager, policy: Kept, before: number): Promise<void> {
  const own = patternsInForce(policy);
  if (own <= before) return;
  await advisoryLock(em, 'governance.patterns', policy.tenantId);
  const others = await em.execute<{ rule: Rule }[]>(
    `select rule from governance.policy where tenant_id = ? and id <> ? and enforcement <> 'DISABLED'`,
    [policy.tenantId, policy.id],
  );
  const all = others.reduce((sum, { rule }) => sum + weigh(rule), own);
  if (all > patternLimits.inForce)
    throw invalid(
      'input.rule',
      'The patterns of all policies in force are too large together: make them fewer or shorter',
    );
}
