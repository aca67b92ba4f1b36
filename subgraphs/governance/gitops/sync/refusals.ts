import { createHash } from 'node:crypto';

import { canonicalJson } from '#platform/canonical-json.js';

import type { GitOpsChange } from '../gitops-change.types.js';
import type { Refusal } from '../gitops-config.entity.js';
import { overridesIn } from '../manifest/overrides.js';
import { keyOf, type Declared, type Place, type ResourceKind } from '../manifest/resource.js';
import type { DeclaredScope } from '../manifest/scope.js';

export function keyOfChange({ kind, name }: GitOpsChange): string {
  return keyOf({ kind: kind as ResourceKind, name });
}

export function placeOf({ file, line }: GitOpsChange): Partial<Place> {
  return file === null ? {} : { file, line };
}

/** What is declared, by key. */
export type DeclaredByKey = ReadonlyMap<string, Declared>;

/** What is tried: the same that was refused is refused again, another thing may not be. It is of its groups, too. */
export function hashOfTry(change: GitOpsChange, wanted: DeclaredByKey): string {
  const declared = wanted.get(keyOfChange(change));
  const groups = groupsOf(declared).map((name) => wanted.get(keyOf({ kind: 'InstanceGroup', name }))?.spec);
  const text = canonicalJson([change.action, declared?.name ?? null, declared?.spec ?? null, ...groups]);
  return createHash('sha256').update(text).digest('base64url');
}

/** What is known of a change's refusals, as long as the same is tried. */
export function refusalOf(
  refusals: Readonly<Record<string, Refusal>>,
  change: GitOpsChange,
  wanted: DeclaredByKey,
): Refusal | undefined {
  const refusal = refusals[keyOfChange(change)];
  return refusal?.what === hashOfTry(change, wanted) ? refusal : undefined;
}

function groupsOf(declared: Declared | undefined): readonly string[] {
  if (declared?.kind === 'AlertRuleOverrides') return overridesIn(declared).map(({ group }) => group);
  const scope = declared?.spec['appliesTo'] as DeclaredScope | undefined;
  return typeof scope === 'object' && 'groups' in scope ? scope.groups : [];
}
