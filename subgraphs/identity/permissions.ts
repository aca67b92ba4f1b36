import type { PermissionTable } from '#platform/auth/permissions.js';

/** Everything that identity lets anyone do, and who may. */
export const identityPermissions = {
  'identity.user.read': ['owner', 'admin', 'operator', 'billing', 'viewer'],
  'identity.account.read': ['owner', 'admin', 'operator', 'billing', 'viewer'],
  'identity.account.manage': ['owner', 'admin', 'operator', 'billing', 'viewer'],
  'identity.second-factor.reset': ['owner', 'admin', 'administrator'],
  'identity.oauth.authorize': ['owner', 'admin', 'operator', 'billing', 'viewer'],
  'identity.tenant.read': ['owner', 'admin', 'operator', 'billing', 'viewer', 'node'],
  'identity.tenant.update': ['owner', 'admin'],
  'identity.tenant.list': ['administrator'],
  'identity.tenant.create': ['administrator'],
  'identity.plan.grant': ['administrator'],
  'identity.tenant.suspend': ['administrator'],
  'identity.tenant.close': ['administrator'],
  'identity.organization.close': ['owner'],
  'identity.organization.export': ['owner'],
  'identity.audit.read': ['owner', 'admin'],
  'identity.member.read': ['owner', 'admin', 'operator', 'billing', 'viewer'],
  'identity.member.manage': ['owner', 'admin'],
  'identity.api-key.manage': ['owner', 'admin'],
  'identity.api-key.exchange': [],
  'identity.delegation.read': ['owner', 'admin'],
  'identity.delegation.manage': ['owner'],
  'identity.delegation.use': ['owner', 'admin', 'operator'],
  'identity.branding.read': ['owner', 'admin', 'operator', 'billing', 'viewer'],
  'identity.branding.manage': ['owner', 'admin'],
  'identity.msp.read': ['owner', 'admin', 'operator', 'billing', 'viewer'],
  'identity.msp.manage': ['owner', 'admin'],
} as const satisfies PermissionTable;

export type IdentityPermission = keyof typeof identityPermissions;
