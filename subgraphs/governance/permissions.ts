import type { PermissionTable } from '#platform/auth/permissions.js';

/** Everything that governance lets anyone do, and who may. */
export const governancePermissions = {
  'governance.policy.read': ['owner', 'admin', 'operator', 'billing', 'viewer'],
  'governance.policy.manage': ['owner', 'admin'],
  'governance.exemption.manage': ['owner', 'admin'],
  'governance.score.read': ['owner', 'admin', 'operator', 'billing', 'viewer'],
  'governance.remediation.run': ['owner', 'admin', 'operator'],
  'governance.canary.read': ['owner', 'admin', 'operator', 'billing', 'viewer'],
  'governance.canary.manage': ['owner', 'admin', 'operator'],
  'governance.gitops.read': ['owner', 'admin', 'operator', 'billing', 'viewer'],
  'governance.gitops.manage': ['owner', 'admin'],
  // For the panel's own services: nobody else is about to do anything that they have to ask for.
  'governance.admission.ask': [],
} as const satisfies PermissionTable;
