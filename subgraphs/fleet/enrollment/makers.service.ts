import type { SqlEntityManager } from '#platform/database/database.js';
import { ApiError } from '#platform/errors.js';
import { viewerId, type Viewer } from '#platform/viewer.js';

import type { EnrollmentToken } from './enrollment-token.entity.js';

/** Who makes an enrollment token, as the token remembers it. */
export type Maker = Pick<EnrollmentToken, 'createdBy' | 'grantId'>;

export function makerOf(viewer: Viewer): Maker {
  return { createdBy: viewerId(viewer), grantId: viewer.kind === 'delegate' ? viewer.grantId : null };
}

/** When a token ends that is to last until `wanted`: no later than the API key or the grant by which it is made. */
export function endOfToken(viewer: Viewer, wanted: Date): Date {
  const ends =
    viewer.kind === 'api-key'
      ? viewer.keyExpiresAt
      : viewer.kind === 'delegate'
        ? viewer.grantExpiresAt
        : Infinity;
  return new Date(Math.min(wanted.getTime(), ends * 1000));
}

/**
 * Throws FORBIDDEN when the maker's access has ended, in the transaction that makes a token. Whoever ends it waits for
 * that one and finds the token.
 */
export async function requireMaker(em: SqlEntityManager, { createdBy, grantId }: Maker): Promise<void> {
  const makers = [createdBy, ...(grantId === null ? [] : [grantId])];
  for (const maker of makers) {
    await em.execute('select pg_advisory_xact_lock_shared(hashtextextended(?, 0))', [lockName(maker)]);
  }
  const [found] = await em.execute<{ hasEnded: boolean }[]>(
    `select fleet.has_maker_ended(array(select jsonb_array_elements_text(?::jsonb))) as "hasEnded"`,
    [JSON.stringify(makers)],
  );
  if (found?.hasEnded) {
    throw new ApiError('FORBIDDEN', 'Your access has ended or changed; sign in again', {
      reason: 'ACCESS_ENDED',
    });
  }
}

/** Waits for the tokens that the maker is just making, and lets none come after them. */
export async function lockMaker(em: SqlEntityManager, maker: string): Promise<void> {
  await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 0))', [lockName(maker)]);
}

function lockName(maker: string): string {
  return `fleet.maker ${maker}`;
}
