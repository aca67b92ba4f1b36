import type { GitOpsChange } from '../gitops-change.types.js';
import type { GitOpsConfig } from '../gitops-config.entity.js';
import type { Comparison } from './compare.service.js';
import type { Newest } from './newest.service.js';
import { keyOfChange } from './refusals.js';

/**
 * What of the differences is to be put right now. Of a commit that is in force already that is only what waited for a
 * canary, unless what was changed otherwise is to be set right as well.
 */
export function dueChanges(
  {
    autoSync,
    selfHeal,
    wantedSync,
    appliedCommit,
    changes: before,
  }: Pick<GitOpsConfig, 'autoSync' | 'selfHeal' | 'wantedSync' | 'appliedCommit' | 'changes'>,
  { declaredCommit }: Pick<Newest, 'declaredCommit'>,
  { changes }: Pick<Comparison, 'changes'>,
): GitOpsChange[] {
  const free = changes.filter(({ heldBack }) => heldBack === null);
  const waited = new Set(before.filter(({ isWaiting }) => isWaiting).map(keyOfChange));
  // Until it is done: it may be refused for a while.
  for (const change of free) if (waited.has(keyOfChange(change))) change.isWaiting = true;
  if (wantedSync) return free;
  if (!autoSync) return [];
  return selfHeal || declaredCommit !== appliedCommit ? free : free.filter(({ isWaiting }) => isWaiting);
}
