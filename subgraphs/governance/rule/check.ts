import { headOf } from '#platform/cut-text.js';
import { mended } from '#platform/mended-text.js';
import type { Faults } from '#platform/validation.js';

import { isAboutBoth, kindOf, nearestPath, type FactKind } from '../fact/fact.catalogue.js';
import { durationMs } from './duration.js';
import { compilePattern, patternLimits, weightOf } from './pattern.js';
import { combiners, comparers, limits, pathsOf, typesOf, type Comparer, type Rule } from './rule.js';
import { parseRange, parseVersion } from './version.js';

/** Checks a rule against the catalogue of facts. Every fault is told with its place: `input.rule.value.1.condition`. */
export function checkRule(given: unknown, path: string): { rule: Rule } | { faults: Faults } {
  const check = new RuleCheck();
  const rule = check.rule(given, path, 1);
  if (rule && isAboutBoth(pathsOf(rule)))
    check.faults[path] ??= 'A policy is about instances or about clusters, not about both';
  return rule && Object.keys(check.faults).length === 0 ? { rule } : { faults: check.faults };
}

const known: readonly string[] = [...comparers, ...combiners];
const fields = new Set(['condition', 'operator', 'value']);

class RuleCheck {
  readonly faults: Faults = {};
  private comparisons = 0;
  /** Of all patterns so far. */
  private weight = 0;

  rule(given: unknown, path: string, depth: number): Rule | undefined {
    if (depth > limits.depth)
      return this.fault(path, `Rules must not be nested deeper than ${limits.depth} levels`);
    if (typeof given !== 'object' || given === null || Array.isArray(given))
      return this.fault(path, 'A rule is an object of condition, operator and value');
    for (const name of Object.keys(given))
      if (!fields.has(name)) this.fault(`${path}.${headOf(name, 100)}`, 'is not a field of a rule');
    const { condition, operator, value } = given as Record<string, unknown>;
    const word = typeof operator === 'string' ? operator.toLowerCase() : undefined;
    if (word === undefined || !known.includes(word))
      return this.fault(`${path}.operator`, `Operator must be one of ${known.join(', ')}`);
    if (combiners.some((combiner) => combiner === word)) {
      if (condition !== undefined && condition !== null)
        this.fault(`${path}.condition`, `${word} has no condition of its own`);
      return this.combination(word as Rule['operator'], value, `${path}.value`, depth);
    }
    return this.comparison(condition, word as Comparer, value, path);
  }

  private combination(
    operator: Rule['operator'],
    value: unknown,
    path: string,
    depth: number,
  ): Rule | undefined {
    if (!Array.isArray(value) || value.length === 0)
      return this.fault(path, `The value of ${operator} is a list of rules`);
    if (value.length > limits.comparisons)
      return this.fault(path, `At most ${limits.comparisons} comparisons in a policy`);
    const rules: Rule[] = [];
    for (const [at, inner] of value.entries()) {
      if (this.comparisons > limits.comparisons) break;
      const rule = this.rule(inner, `${path}.${at}`, depth + 1);
      if (rule) rules.push(rule);
    }
    return { operator, value: rules } as Rule;
  }

  private comparison(condition: unknown, operator: Comparer, value: unknown, path: string): Rule | undefined {
    this.comparisons += 1;
    if (this.comparisons > limits.comparisons)
      return this.fault(path, `At most ${limits.comparisons} comparisons in a policy`);
    if (typeof condition !== 'string' || condition === '')
      return this.fault(`${path}.condition`, 'Condition is the path of a fact, as backup.encryption');
    const kind = kindOf(condition);
    if (!kind) {
      const near = nearestPath(condition);
      const meant = near === undefined ? '' : `; did you mean ${near}?`;
      return this.fault(`${path}.condition`, `There is no fact ${headOf(condition, 100)}${meant}`);
    }
    if (!typesOf[operator].includes(kind.type))
      return this.fault(`${path}.operator`, `${operator} cannot compare ${condition}, which is ${aOf(kind)}`);
    const kept = this.value(kind, operator, value, `${path}.value`);
    return kept === undefined ? undefined : { condition, operator, value: kept };
  }

  /** The value as it is kept; undefined, and a fault, when it does not fit. */
  private value(kind: FactKind, operator: Comparer, value: unknown, path: string): unknown {
    switch (operator) {
      case 'exists':
        if (value === undefined || value === null) return true;
        return typeof value === 'boolean' ? value : this.fault(path, 'The value of exists is true or false');
      case 'older_than':
      case 'newer_than':
      case 'expires_after':
        return durationMs(value) === undefined
          ? this.fault(path, `The value of ${operator} is a duration, as 90s, 30m, 24h, 7d or 2w`)
          : value;
      case 'semver':
        if (typeof value === 'string' && value.length > limits.text) return this.tooLong(path);
        return parseRange(value)
          ? value
          : this.fault(path, 'The value of semver is a range of versions, as >=1.2.0 <2.0.0');
      case 'matches':
        return this.pattern(value, path);
      case 'contains':
        return typeof value === 'string'
          ? this.text(value, path)
          : this.fault(path, 'The value of contains is text');
      case 'in':
      case 'not_in':
        return this.list(kind, value, path);
      case 'gt':
      case 'gte':
      case 'lt':
      case 'lte':
        if (kind.type !== 'any') return this.single(kind, value, path);
        return typeof value === 'number' || parseVersion(value)
          ? value
          : this.fault(path, `The value of ${operator} is a number or a version`);
      case 'equals':
      case 'not_equals':
        return this.single(kind, value, path);
    }
  }

  private pattern(value: unknown, path: string): unknown {
    if (typeof value !== 'string') return this.fault(path, 'The value of matches is a pattern');
    if (value.length > limits.text) return this.tooLong(path);
    const weight = weightOf(value);
    this.weight += weight;
    if (this.weight > patternLimits.weight && weight <= patternLimits.weight)
      return this.fault(path, 'The patterns of the rule are too large together: make them fewer or shorter');
    const compiled = compilePattern(value);
    return 'fault' in compiled
      ? this.fault(path, `This pattern cannot be used: ${mended(headOf(compiled.fault, 200))}`)
      : value;
  }

  private list(kind: FactKind, value: unknown, path: string): unknown {
    if (!Array.isArray(value) || value.length === 0) return this.fault(path, 'The value is a list');
    if (value.length > limits.items) return this.fault(path, `At most ${limits.items} values`);
    const kept = value.map((item, at) => this.single(kind, item, `${path}.${at}`));
    return kept.includes(undefined) ? undefined : kept;
  }

  private single(kind: FactKind, value: unknown, path: string): unknown {
    const fits = {
      boolean: typeof value === 'boolean',
      number: typeof value === 'number' && Number.isFinite(value),
      text: typeof value === 'string',
      version: parseVersion(value) !== undefined,
      time: false,
      list: false,
      any: ['boolean', 'number', 'string'].includes(typeof value),
    }[kind.type];
    if (!fits) return this.fault(path, `${kind.path} is ${aOf(kind)}, and so must this be`);
    return typeof value === 'string' ? this.text(value, path) : value;
  }

  private text(value: string, path: string): unknown {
    return value.length > limits.text ? this.tooLong(path) : value;
  }

  private tooLong(path: string): undefined {
    return this.fault(path, `At most ${limits.text} characters`);
  }

  private fault(path: string, sentence: string): undefined {
    this.faults[path] ??= sentence;
  }
}

function aOf({ type }: FactKind): string {
  return {
    boolean: 'true or false',
    number: 'a number',
    text: 'text',
    version: 'a version',
    time: 'a time',
    list: 'a list of texts',
    any: 'true or false, a number or text',
  }[type];
}
