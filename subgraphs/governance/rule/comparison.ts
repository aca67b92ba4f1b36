import { kindOf, type FactType } from '../fact/fact.catalogue.js';
import { reportedMark, type Facts } from '../fact/flatten.js';
import type { Verdict } from './compile.js';
import { durationMs } from './duration.js';
import { compilePattern } from './pattern.js';
import type { Comparison } from './rule.js';
import { compareVersions, isInRange, parseRange, parseVersion } from './version.js';

const [pass, fail, unknown] = [0, 1, 2] as const;
const when = (isSo: boolean): Verdict => (isSo ? pass : fail);

type Judge = (actual: unknown, now: number) => Verdict;

/** One comparison as a function. A value that the fact's type does not allow is as good as none. */
export function compareValue(comparison: Comparison): (facts: Facts, now: number) => Verdict {
  const { condition, operator, value } = comparison;
  if (operator === 'exists') {
    const source = kindOf(condition)?.source;
    const isTold = source === 'action' || source === 'metrics';
    return (facts) => {
      // Of a restart it is not known which region a server is to be in, nor what a node measures that is silent.
      if (facts[condition] === undefined && (isTold || facts[reportedMark] !== true)) return unknown;
      return when((facts[condition] !== undefined) === value);
    };
  }
  const judge = judgeOf(comparison, kindOf(condition)?.type ?? 'any');
  return (facts, now) => {
    const actual = facts[condition];
    return actual === undefined ? unknown : judge(actual, now);
  };
}

function judgeOf({ operator, value }: Comparison, type: FactType): Judge {
  switch (operator) {
    case 'equals':
      return equality(value, type);
    case 'not_equals':
      return not(equality(value, type));
    case 'in':
      return oneOf(value, type);
    case 'not_in':
      return not(oneOf(value, type));
    case 'gt':
      return ordering(value, type, (order) => order > 0);
    case 'gte':
      return ordering(value, type, (order) => order >= 0);
    case 'lt':
      return ordering(value, type, (order) => order < 0);
    case 'lte':
      return ordering(value, type, (order) => order <= 0);
    case 'matches': {
      const pattern = compilePattern(String(value));
      if ('fault' in pattern) return () => unknown;
      return (actual) => (typeof actual === 'string' ? when(pattern(actual)) : unknown);
    }
    case 'contains':
      return (actual) => {
        if (Array.isArray(actual)) return when(actual.includes(value));
        return typeof actual === 'string' ? when(actual.includes(String(value))) : unknown;
      };
    case 'semver': {
      const range = parseRange(value);
      return (actual) => {
        const isIn = range && isInRange(actual, range);
        return isIn === undefined ? unknown : when(isIn);
      };
    }
    case 'older_than':
      return age(value, (past, span) => past > span);
    case 'newer_than':
      return age(value, (past, span) => past <= span);
    case 'expires_after':
      return age(value, (past, span) => -past >= span);
    case 'exists':
      return () => unknown;
  }
}

function not(judge: Judge): Judge {
  return (actual, now) => {
    const verdict = judge(actual, now);
    return verdict === unknown ? unknown : verdict === pass ? fail : pass;
  };
}

const typeNames: Readonly<Partial<Record<FactType, string>>> = {
  boolean: 'boolean',
  number: 'number',
  text: 'string',
};

function equality(value: unknown, type: FactType): Judge {
  if (type === 'version') return ordering(value, type, (order) => order === 0);
  const wanted = typeNames[type] ?? typeof value;
  return (actual) => (typeof actual === wanted ? when(actual === value) : unknown);
}

function oneOf(value: unknown, type: FactType): Judge {
  const judges = (value as unknown[]).map((item) => equality(item, type));
  return (actual, now) => {
    let isKnown = false;
    for (const judge of judges) {
      const verdict = judge(actual, now);
      if (verdict === pass) return pass;
      if (verdict === fail) isKnown = true;
    }
    return isKnown ? fail : unknown;
  };
}

function ordering(value: unknown, type: FactType, holds: (order: number) => boolean): Judge {
  if (typeof value === 'number' && type !== 'version')
    return (actual) => (typeof actual === 'number' ? when(holds(actual - value)) : unknown);
  const wanted = parseVersion(value);
  return (actual) => {
    const version = parseVersion(actual);
    return wanted && version ? when(holds(compareVersions(version, wanted))) : unknown;
  };
}

function age(value: unknown, holds: (past: number, span: number) => boolean): Judge {
  const span = durationMs(value) ?? 0;
  return (actual, now) => {
    const time = typeof actual === 'string' ? Date.parse(actual) : Number.NaN;
    return Number.isNaN(time) ? unknown : when(holds(now - time, span));
  };
}
