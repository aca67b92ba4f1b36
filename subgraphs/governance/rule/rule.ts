import type { FactType } from '../fact/fact.catalogue.js';

export const combiners = ['all', 'any', 'none'] as const;
export type Combiner = (typeof combiners)[number];

export const comparers = [
  'equals',
  'not_equals',
  'in',
  'not_in',
  'gt',
  'gte',
  'lt',
  'lte',
  'matches',
  'contains',
  'exists',
  'semver',
  'older_than',
  'newer_than',
  'expires_after',
] as const;
export type Comparer = (typeof comparers)[number];

export type Operator = Combiner | Comparer;

/** One comparison of a fact. */
export interface Comparison {
  condition: string;
  operator: Comparer;
  value: unknown;
}

/** Several rules as one. */
export interface Combination {
  operator: Combiner;
  value: Rule[];
}

/** A rule that was checked. */
export type Rule = Comparison | Combination;

export function isCombination(rule: Rule): rule is Combination {
  return (combiners as readonly string[]).includes(rule.operator);
}

const every: readonly FactType[] = ['boolean', 'number', 'text', 'version', 'time', 'list', 'any'];

/** Which facts an operator compares. */
export const typesOf: Readonly<Record<Comparer, readonly FactType[]>> = {
  equals: ['boolean', 'number', 'text', 'version', 'any'],
  not_equals: ['boolean', 'number', 'text', 'version', 'any'],
  in: ['boolean', 'number', 'text', 'version', 'any'],
  not_in: ['boolean', 'number', 'text', 'version', 'any'],
  gt: ['number', 'version', 'any'],
  gte: ['number', 'version', 'any'],
  lt: ['number', 'version', 'any'],
  lte: ['number', 'version', 'any'],
  matches: ['text', 'version', 'any'],
  contains: ['text', 'list', 'any'],
  exists: every,
  semver: ['version', 'any'],
  older_than: ['time', 'any'],
  newer_than: ['time', 'any'],
  expires_after: ['time', 'any'],
};

/** How large a rule may be: what it costs to judge is bounded by it. */
export const limits = { depth: 10, comparisons: 100, items: 200, text: 500 } as const;

/** What its comparisons look for. */
export function patternsOf(rule: Rule): string[] {
  if (isCombination(rule)) return rule.value.flatMap(patternsOf);
  return rule.operator === 'matches' ? [String(rule.value)] : [];
}

/** What the rule is about. */
export function pathsOf(rule: Rule): string[] {
  return isCombination(rule) ? [...new Set(rule.value.flatMap(pathsOf))] : [rule.condition];
}
