import type { JobDefinition } from '#platform/jobs/job.js';
import type { Mailer } from '#platform/mail.js';

import { findShownBranding } from '../branding/shown-branding.service.js';
import { brandedMail } from './branded-mail.js';
import { sendMail, type MailQueue, type SendMailPayload } from './mail-queue.js';

/** Makes one attempt at a mail. Its process may die before it can say that the server took it: it is sent again then. */
export function sendMailJob(queue: MailQueue, mailer: Mailer): JobDefinition<SendMailPayload> {
  return {
    ...sendMail,
    handle: async ({ em, payload }) => {
      const branding = await findShownBranding(em, payload.tenantId);
      await mailer.send(brandedMail(queue.open(payload), branding));
    },
  };
}
