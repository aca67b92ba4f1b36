import type { PermissionTable } from '#platform/auth/permissions.js';

/** Everything that hosting lets anyone do, and who may. */
export const hostingPermissions = {
  'hosting.provider.read': ['owner', 'admin', 'operator', 'billing', 'viewer'],
  'hosting.provider.manage': ['owner', 'admin'],
  'hosting.server.read': ['owner', 'admin', 'operator', 'billing', 'viewer'],
  'hosting.server.provision': ['owner', 'admin', 'operator'],
  'hosting.server.decommission': ['owner', 'admin', 'operator'],
  'hosting.server.protect': ['owner', 'admin'],
  'hosting.cluster.read': ['owner', 'admin', 'operator', 'billing', 'viewer'],
  'hosting.cluster.manage': ['owner', 'admin'],
  'hosting.deployment.read': ['owner', 'admin', 'operator', 'billing', 'viewer'],
  'hosting.deployment.manage': ['owner', 'admin', 'operator'],
  'hosting.pod-log.read': ['owner', 'admin', 'operator'],
  'hosting.cost.read': ['owner', 'admin', 'operator', 'billing'],
  'hosting.ha.read': ['administrator'],
  'hosting.ha.manage': ['administrator'],
  'hosting.budget.manage': ['owner', 'admin', 'billing'],
} as const satisfies PermissionTable;
