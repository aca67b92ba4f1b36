import type { PermissionTable } from '#platform/auth/permissions.js';
import type { Write } from '#platform/subgraph/operation.js';
import type { ApiKeyRevoked } from '#schema/events.js';

import type { User } from '../user/user.entity.js';
import { ApiKey } from './api-key.entity.js';

/** Keys never do more than who made them may. */
export class KeysOfMember {
  constructor(
    /** All permissions of all areas. */
    private readonly permissions: PermissionTable,
  ) {}

  /** Ends the keys that someone made who is about to be removed. */
  async endAll(write: Write, user: User, now: Date): Promise<void> {
    await this.end(write, user, now, () => true);
  }

  /** Ends the keys that may do what their maker, in the role of now, may not. */
  async endBeyondRole(write: Write, user: User, now: Date): Promise<void> {
    await this.end(write, user, now, ({ permissions }) =>
      permissions.some((name) => !this.isHeld(user, name)),
    );
  }

  private async end(write: Write, user: User, now: Date, isEnding: (key: ApiKey) => boolean): Promise<void> {
    const { tenantId, id: createdBy } = user;
    const keys = await write.em.find(ApiKey, {
      tenantId,
      createdBy,
      revokedAt: null,
      expiresAt: { $gt: now },
    });
    for (const key of keys.filter(isEnding)) {
      key.revokedAt = now;
      write.publish({
        topic: 'identity.api-key.revoked',
        tenantId,
        entityId: key.id,
        payload: { keyId: key.id } satisfies ApiKeyRevoked,
      });
    }
  }

  private isHeld({ role, isAdministrator }: User, name: string): boolean {
    const holders = this.permissions[name] ?? [];
    const held = holders.some((holder) => holder === role.toLowerCase());
    return held || (isAdministrator && holders.includes('administrator'));
  }
}
