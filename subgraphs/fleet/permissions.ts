import type { PermissionTable } from '#platform/auth/permissions.js';

/** Everything that fleet lets anyone do, and who may. */
export const fleetPermissions = {
  'fleet.instance.read': ['owner', 'admin', 'operator', 'billing', 'viewer'],
  'fleet.token.read': ['owner', 'admin', 'operator'],
  'fleet.token.create': ['owner', 'admin', 'operator'],
  'fleet.server-token.create': [],
  'fleet.token.revoke': ['owner', 'admin', 'operator'],
  'fleet.heartbeat.report': ['node'],
  'fleet.departure.report': ['node'],
  'fleet.alert.read': ['owner', 'admin', 'operator', 'billing', 'viewer'],
  'fleet.alert.acknowledge': ['owner', 'admin', 'operator'],
  'fleet.alert.resolve': ['owner', 'admin', 'operator'],
  'fleet.alert-rule.update': ['owner', 'admin', 'operator'],
  'fleet.silence.create': ['owner', 'admin', 'operator'],
  'fleet.silence.expire': ['owner', 'admin', 'operator'],
  'fleet.channel.read': ['owner', 'admin', 'operator'],
  'fleet.channel.manage': ['owner', 'admin'],
  'fleet.group.read': ['owner', 'admin', 'operator', 'billing', 'viewer'],
  'fleet.group.manage': ['owner', 'admin', 'operator'],
  'fleet.window.read': ['owner', 'admin', 'operator', 'billing', 'viewer'],
  'fleet.window.manage': ['owner', 'admin', 'operator'],
  'fleet.instance.update': ['owner', 'admin', 'operator'],
  'fleet.instance.decommission': ['owner', 'admin', 'operator'],
  'fleet.credential.rotate': ['owner', 'admin', 'operator'],
  'fleet.instance.impersonate': ['owner', 'admin'],
  'fleet.impersonation.redeem': ['node'],
  'fleet.command.read': ['owner', 'admin', 'operator', 'viewer'],
  'fleet.command.send': ['owner', 'admin', 'operator'],
  'fleet.command.cancel': ['owner', 'admin', 'operator'],
  'fleet.command.report': ['node'],
  'fleet.command.receive': ['node'],
} as const satisfies PermissionTable;

export type FleetPermission = keyof typeof fleetPermissions;
