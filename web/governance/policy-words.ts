import type { PolicyRowFragment } from '../generated/graphql.ts';
import { count, plural, words } from '../parts/words.ts';

interface Rule {
  condition?: string | null;
  operator: string;
  value?: unknown;
}

const combined: Record<string, string> = { all: ' and ', any: ' or ', none: ' nor ' };

/** A rule as a line: `backup.encryption equals true`. */
export function ruleText({ condition, operator, value }: Rule): string {
  const joint = combined[operator];
  if (!joint || !Array.isArray(value)) {
    return [condition, operator.replaceAll('_', ' '), value == null ? '' : JSON.stringify(value)]
      .filter(Boolean)
      .join(' ');
  }
  const parts = (value as Rule[]).map((rule) => `(${ruleText(rule)})`);
  return (operator === 'none' ? 'neither ' : '') + parts.join(joint);
}

/** Whom a policy or a canary is for, in words. */
export function appliesToText(appliesTo: unknown): string {
  if (typeof appliesTo !== 'object' || appliesTo === null) return 'all instances';
  const { tags, instance_ids: ids, group_ids: groups } = appliesTo as Record<string, string[] | undefined>;
  if (tags) return `those with the tags ${tags.join(', ')}`;
  if (ids) return plural(ids.length, 'chosen instance');
  return groups ? plural(groups.length, 'group') : 'all instances';
}

export function countsText({ counts }: PolicyRowFragment): string {
  const parts = Object.entries(counts)
    .filter(([, value]) => value > 0)
    .map(([name, value]) => `${count(value)} ${words(name).toLowerCase()}`);
  return parts.join(', ') || 'nobody judged yet';
}

interface Evidence {
  condition: string;
  operator: string;
  expected: unknown;
  actual: unknown;
}

/** Why a policy does not hold. */
export function evidenceText({ condition, operator, expected, actual }: Evidence): string {
  const found = actual == null ? 'not reported' : JSON.stringify(actual);
  return `${condition} is ${found}; it takes ${operator.replaceAll('_', ' ')} ${JSON.stringify(expected)}`;
}
