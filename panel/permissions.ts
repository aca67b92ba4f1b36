import type { PermissionTable } from '#platform/auth/permissions.js';
import { fleetPermissions } from '#subgraphs/fleet/permissions.js';
import { identityPermissions } from '#subgraphs/identity/permissions.js';

/** Everything that anyone may be allowed anywhere in the panel. */
export const allPermissions: PermissionTable = { ...identityPermissions, ...fleetPermissions };
