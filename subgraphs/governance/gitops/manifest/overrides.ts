import type { Resource } from './resource.js';

/** What a rule says otherwise of a group, by its name in lower case; null where it is as the rule says. */
export interface DeclaredOverride {
  group: string;
  priority: number;
  isEnabled: boolean | null;
  severity: string | null;
  threshold: number | null;
  forSeconds: number | null;
  keepFiringForSeconds: number | null;
}

/** Those of an `AlertRuleOverrides`, the one that goes first first. */
export function overridesIn({ spec }: Pick<Resource, 'spec'>): readonly DeclaredOverride[] {
  return spec['overrides'] as readonly DeclaredOverride[];
}
