import { ApiError } from '../errors.js';
import type { Role, Viewer } from '../viewer.js';

/**
 * How to read this table: the permission on the left (`area.noun.verb`) is held by the roles on its right. `node` is a
 * Cloud OS node with its own credential, `administrator` a user with the platform administrator's flag.
 */
export type PermissionTable = Readonly<Record<string, readonly (Role | 'node' | 'administrator')[]>>;

/**
 * Whether a token with a list of its own goes without a permission, of whatever area. Whoever comes by a role has no list:
 * of those only the area itself knows what they hold.
 */
export function listsWithout(viewer: Viewer, permission: string): boolean {
  const listed = 'permissions' in viewer ? viewer.permissions : undefined;
  return listed !== undefined && !listed.includes(permission);
}

/** FORBIDDEN for a token with a list of its own that goes without the permission. */
export function requireListed(viewer: Viewer, permission: string): void {
  if (!listsWithout(viewer, permission)) return;
  throw new ApiError('FORBIDDEN', `This needs the permission ${permission}`, {
    reason: 'PERMISSION_MISSING',
  });
}

/** Whether the viewer holds a permission: by the list that its token carries, or else by its role. */
export function holds(table: PermissionTable, viewer: Viewer, permission: string): boolean {
  const holders = table[permission];
  if (!holders) throw new Error(`${permission} is not a declared permission`);
  switch (viewer.kind) {
    case 'user':
      if (holders.includes('administrator') && viewer.isAdministrator) return true;
      return viewer.permissions ? viewer.permissions.includes(permission) : holders.includes(viewer.role);
    case 'node':
      return holders.includes('node');
    case 'delegate':
      return holders.includes(viewer.role);
    case 'api-key':
    case 'service':
      return viewer.permissions.includes(permission);
  }
}
