import type { FactKindsQuery, PolicyRuleInput } from '../generated/graphql.ts';
import { wordsIn } from '../parts/form.ts';

export type Fact = FactKindsQuery['factKinds']['facts'][number];

/** How large a rule may be. */
export const bounds = { depth: 10, comparisons: 100 };

export const combiners = ['all', 'any', 'none'] as const;
export type Combiner = (typeof combiners)[number];

/** One comparison, as it is filled in. */
export interface ComparisonPart {
  key: number;
  condition: string;
  operator: string;
  /** What stands in the field. */
  text: string;
  /** What the text stands for, while nobody has touched it: `22.04` is a version there, and a number elsewhere. */
  kept?: { value: unknown };
}

/** Several rules as one. */
export interface CombinedPart {
  key: number;
  operator: Combiner;
  parts: readonly RulePart[];
}

export type RulePart = ComparisonPart | CombinedPart;

export const isCombined = (part: RulePart): part is CombinedPart => 'parts' in part;

let keys = 0;
const newKey = () => (keys += 1);

export function newComparison(): ComparisonPart {
  return { key: newKey(), condition: 'cloud_os.version', operator: 'exists', text: 'true' };
}

/** It stays the same part for the page, so that what has the focus keeps it. */
export function combine(part: RulePart, operator: Combiner): CombinedPart {
  if (isCombined(part)) return { ...part, operator };
  return { key: part.key, operator, parts: [{ ...part, key: newKey() }] };
}

/** The other way round, of a part that has one other in it. */
export function single({ key, parts }: CombinedPart): RulePart {
  return { ...parts[0]!, key };
}

interface Rule {
  condition?: string | null;
  operator: string;
  value?: unknown;
}

/** A rule of the API as it is edited. */
export function partOf({ condition, operator, value }: Rule): RulePart {
  const combiner = combiners.find((one) => one === operator);
  if (combiner && Array.isArray(value)) {
    return { key: newKey(), operator: combiner, parts: (value as Rule[]).map(partOf) };
  }
  return {
    key: newKey(),
    condition: condition ?? '',
    operator,
    text: textFor(value),
    kept: { value },
  };
}

/** What is edited as a rule of the API. */
export function ruleOf(part: RulePart, facts: readonly Fact[]): PolicyRuleInput {
  if (isCombined(part)) {
    return { operator: part.operator, value: part.parts.map((one) => ruleOf(one, facts)) };
  }
  const { condition, operator, text, kept } = part;
  return {
    condition,
    operator,
    value: kept ? kept.value : valueOf(text, operator, factAt(condition, facts)),
  };
}

export function countOf(part: RulePart): number {
  return isCombined(part) ? part.parts.reduce((sum, one) => sum + countOf(one), 0) : 1;
}

/** The fact at a path; what a node reports of its own is of the kind `custom.*`. */
export function factAt(path: string, facts: readonly Fact[]): Fact | undefined {
  return (
    facts.find((fact) => fact.path === path) ??
    facts.find((fact) => fact.path.endsWith('.*') && path.startsWith(fact.path.slice(0, -1)))
  );
}

export function isYesOrNo(operator: string, fact: Fact | undefined): boolean {
  return operator === 'exists' || (fact?.type === 'BOOLEAN' && /^(not_)?equals$/.test(operator));
}

function textFor(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((item) => typeof item !== 'string' || !item.includes(','))) {
    return value.map(String).join(', ');
  }
  return JSON.stringify(value ?? true);
}

/** What was typed, as the operator and the fact take it. */
function valueOf(text: string, operator: string, fact: Fact | undefined): unknown {
  if (isYesOrNo(operator, fact)) return text === 'true';
  const typed = text.trim();
  if (operator === 'in' || operator === 'not_in') {
    const list = typed.startsWith('[') ? parsed(typed) : undefined;
    return Array.isArray(list) ? list : wordsIn(typed).map((word) => wordOf(word, fact));
  }
  return isOfText.has(operator) ? typed : wordOf(typed, fact);
}

/** What these take is text, whatever it looks like. */
const isOfText = new Set(['matches', 'contains', 'semver', 'older_than', 'newer_than', 'expires_after']);

function wordOf(text: string, fact: Fact | undefined): unknown {
  const type = fact?.type;
  if (type === 'NUMBER') return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
  if (type === 'BOOLEAN' && /^(true|false)$/.test(text)) return text === 'true';
  return type === 'ANY' ? (parsed(text) ?? text) : text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
