import type { Facts } from '../fact/flatten.js';
import { compareValue } from './comparison.js';
import { durationMs } from './duration.js';
import { isCombination, type Combiner, type Comparison, type Rule } from './rule.js';

/** How a rule turned out. UNKNOWN: what it is about is not known. */
export const verdicts = { PASS: 0, FAIL: 1, UNKNOWN: 2 } as const;
export type Verdict = 0 | 1 | 2;

type Test = (facts: Facts, now: number) => Verdict;

/** Why a rule turned out as it did: the first comparison that decided. */
export interface Evidence {
  condition: string;
  operator: string;
  expected: unknown;
  /** What is known; null when nothing is. */
  actual: unknown;
}

/** A rule made into functions, once for as long as it stays as it is. None of them throws, whatever the facts are. */
export interface CompiledRule {
  test: Test;
  /** The comparison that decided. */
  explain(facts: Facts, now: number): Evidence;
  /** When it may turn out otherwise though no fact changes: ages grow. Infinity when that cannot be. */
  turnsAt(facts: Facts, now: number): number;
}

export function compileRule(rule: Rule): CompiledRule {
  if (isCombination(rule)) return combine(rule.operator, rule.value.map(compileRule));
  const test = compareValue(rule);
  return {
    test,
    explain: (facts) => evidenceOf(rule, facts[rule.condition]),
    turnsAt: turning(rule),
  };
}

/** By Kleene's logic: what is unknown counts only where it could decide. */
function combine(combiner: Combiner, rules: readonly CompiledRule[]): CompiledRule {
  const tests = rules.map(({ test }) => test);
  // `none` is that each fails.
  const [decisive, isTurned] = ({ all: [1, false], any: [0, false], none: [0, true] } as const)[combiner];
  const test: Test = (facts, now) => {
    let isUnknown = false;
    for (const each of tests) {
      const verdict = each(facts, now);
      if (verdict === decisive) return isTurned ? verdicts.FAIL : verdict;
      if (verdict === verdicts.UNKNOWN) isUnknown = true;
    }
    if (isUnknown) return verdicts.UNKNOWN;
    return combiner === 'any' ? verdicts.FAIL : verdicts.PASS;
  };
  return {
    test,
    explain: (facts, now) => {
      const verdict = test(facts, now);
      const decided = combiner === 'none' && verdict === verdicts.FAIL ? verdicts.PASS : verdict;
      const at = tests.findIndex((each) => each(facts, now) === decided);
      return rules[Math.max(at, 0)]!.explain(facts, now);
    },
    turnsAt: (facts, now) => rules.reduce((at, each) => Math.min(at, each.turnsAt(facts, now)), Infinity),
  };
}

function evidenceOf({ condition, operator, value }: Comparison, actual: unknown): Evidence {
  return { condition, operator, expected: value, actual: actual ?? null };
}

function turning({ condition, operator, value }: Comparison): (facts: Facts, now: number) => number {
  const span = durationMs(value);
  const sign = { older_than: 1, newer_than: 1, expires_after: -1 }[operator as string];
  if (span === undefined || sign === undefined) return () => Infinity;
  return (facts, now) => {
    const fact = facts[condition];
    const time = typeof fact === 'string' ? Date.parse(fact) : Number.NaN;
    const at = time + sign * span + 1;
    return at > now ? at : Infinity;
  };
}
