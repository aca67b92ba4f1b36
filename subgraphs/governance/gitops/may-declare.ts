import { requireListed } from '#platform/auth/permissions.js';
import type { Operation } from '#platform/subgraph/operation.js';

import type { UpdateGitOpsConfigInput } from './gitops-config.inputs.js';
import { gitOpsPermissionsNeeded } from './sync/panel-calls.js';

/**
 * What a repository declares is put into force by governance's own hand: a key has to list all that this does. FORBIDDEN
 * (PERMISSION_MISSING).
 */
export function requireMayDeclare(operation: Operation): void {
  for (const permission of gitOpsPermissionsNeeded) requireListed(operation.requireViewer(), permission);
}

/** Whether it is stopped by that and nothing else, which needs nothing of what it does. */
export function isOnlyPaused(input: UpdateGitOpsConfigInput): boolean {
  return Object.entries(input).every(
    ([name, value]) => value === undefined || (name === 'isPaused' && value === true),
  );
}
