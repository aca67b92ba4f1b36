import type { PermissionTable } from '#platform/auth/permissions.js';

/** Everything that billing lets anyone do, and who may. */
export const billingPermissions = {
  'billing.package.read': ['owner', 'admin', 'operator', 'billing', 'viewer'],
} as const satisfies PermissionTable;
