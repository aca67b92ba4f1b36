import { LockMode } from '@mikro-orm/core';

import type { JobDefinition } from '#platform/jobs/job.js';

import type { AccountMail } from '../email/account-mail.js';
import { makeMailToken } from '../email/mail-tokens.js';
import { User } from '../user/user.entity.js';
import { offerReset, type OfferResetPayload } from './offer-reset.js';

/** Mails the link of a reset that was asked for; where there is no such account, that ends here. */
export function offerResetJob(mail: AccountMail): JobDefinition<OfferResetPayload> {
  return {
    ...offerReset,
    handle: async ({ payload: { tenantId, userId }, now, write }) =>
      write(async (cause) => {
        const key = { tenantId, id: userId };
        const user = await cause.em.findOne(User, key, { lockMode: LockMode.PESSIMISTIC_WRITE });
        if (!user) return;
        mail.passwordReset(cause, user, await makeMailToken(cause.em, user, 'PASSWORD_RESET', now));
      }),
  };
}
