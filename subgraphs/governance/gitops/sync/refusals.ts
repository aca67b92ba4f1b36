import { createHash } from 'node:crypto';

import type { GitOpsChange, Refusal } from '../gitops-config.entity.js';
import { keyOf, type Declared, type Place, type ResourceKind } from '../manifest/resource.js';

export function keyOfChange({ kind, name }: GitOpsChange): string {
  return keyOf({ kind: kind as ResourceKind, name });
}

export function placeOf({ file, line }: GitOpsChange): Partial<Place> {
  return file === null ? {} : { file, line };
}

/** What is tried: the same that was refused is refused again, another thing may not be. */
export function hashOfTry({ action }: GitOpsChange, declared: Declared | undefined): string {
  const text = JSON.stringify([action, declared?.name, declared?.spec]);
  return createHash('sha256').update(text).digest('base64url');
}

/** What is known of a change's refusals, as long as the same is tried. */
export function refusalOf(
  refusals: Readonly<Record<string, Refusal>>,
  change: GitOpsChange,
  declared: Declared | undefined,
): Refusal | undefined {
  const refusal = refusals[keyOfChange(change)];
  return refusal?.what === hashOfTry(change, declared) ? refusal : undefined;
}
