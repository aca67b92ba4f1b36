import type { PermissionTable } from '#platform/auth/permissions.js';

/** Everything that billing lets anyone do, and who may. */
export const billingPermissions = {
  'billing.package.read': ['owner', 'admin', 'operator', 'billing', 'viewer'],
  'billing.subscription.read': ['owner', 'admin', 'operator', 'billing', 'viewer'],
  'billing.usage.read': ['owner', 'admin', 'operator', 'billing', 'viewer'],
  'billing.subscription.manage': ['owner', 'admin', 'billing'],
  'billing.licence.read': ['owner', 'admin', 'operator', 'billing', 'viewer'],
  'billing.licence.receive': ['node'],
  'billing.invoice.read': ['owner', 'admin', 'billing'],
  'billing.partner.read': ['owner', 'admin', 'operator', 'billing', 'viewer'],
  'billing.partner.manage': ['owner', 'admin'],
  'billing.partner.decide': ['administrator'],
  'billing.commission.read': ['owner', 'admin', 'billing', 'administrator'],
  'billing.test-clock.read': ['owner', 'admin', 'operator', 'billing', 'viewer'],
  'billing.test-clock.advance': ['owner', 'admin'],
} as const satisfies PermissionTable;
