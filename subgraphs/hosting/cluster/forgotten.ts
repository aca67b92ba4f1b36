import type { Cluster } from './cluster.entity.js';

export type Forgotten = Pick<Cluster, 'reason' | 'message'>;

export const grantEnded: Forgotten = {
  reason: 'GRANT_ENDED',
  message: 'The access ended under which the provider had given its credential: updateCluster replaces it',
};

export const addressProved: Forgotten = {
  reason: 'ADDRESS_PROVED',
  message:
    'Its credential was given before the owner of the address had the account: updateCluster replaces it',
};

/** Why a cluster has no credential, whatever was told of it last: a look may have been under way. */
export function forgotten({ sealedCredential, deletedAt, grantId }: Cluster): Forgotten | undefined {
  if (sealedCredential !== null || deletedAt !== null) return undefined;
  return grantId === null ? addressProved : grantEnded;
}
