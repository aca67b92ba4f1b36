import type { JobDefinition } from '#platform/jobs/job.js';
import type { SecurityRecorded } from '#schema/events.js';

import { User } from '../user/user.entity.js';
import { failedSignIn, type FailedSignInPayload } from './failed-sign-in.js';

/** Tells whoever watches over the tenant of a failed sign-in; where there is no such account, that ends here. */
export const failedSignInJob: JobDefinition<FailedSignInPayload> = {
  ...failedSignIn,
  handle: async ({ payload, write }) =>
    write(async ({ em, publish }) => {
      const { tenantId, userId, clientAddress, pausedUntil } = payload;
      if ((await em.count(User, { tenantId, id: userId })) === 0) return;
      const fact = {
        action: pausedUntil ? 'authn_login_lock' : 'authn_login_fail',
        userId,
        reason: pausedUntil ? `paused until ${pausedUntil}` : 'wrong password',
        clientAddress,
      } satisfies SecurityRecorded;
      publish({ topic: 'audit.security.recorded', tenantId, entityId: userId, payload: fact });
    }),
};
