import type { PermissionTable } from '#platform/auth/permissions.js';

/** Everything that fleet lets anyone do, and who may. */
export const fleetPermissions = {
  'fleet.instance.read': ['owner', 'admin', 'operator', 'billing', 'viewer'],
  'fleet.token.read': ['owner', 'admin', 'operator'],
  'fleet.token.create': ['owner', 'admin', 'operator'],
  'fleet.token.revoke': ['owner', 'admin', 'operator'],
  'fleet.heartbeat.report': ['node'],
} as const satisfies PermissionTable;

export type FleetPermission = keyof typeof fleetPermissions;
