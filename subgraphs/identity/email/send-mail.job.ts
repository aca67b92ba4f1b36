import type { JobDefinition } from '#platform/jobs/job.js';
import type { MailQueue, SendMailPayload } from '#platform/mail-queue.js';
import { inNameOf, type Mailer } from '#platform/mail.js';

import { findShownBranding } from '../branding/shown-branding.service.js';

/** Makes one attempt at a mail. Its process may die before it can say that the server took it: it is sent again then. */
export function sendMailJob(queue: MailQueue, mailer: Mailer): JobDefinition<SendMailPayload> {
  return {
    ...queue.kind,
    handle: async ({ em, payload }) => {
      const branding = await findShownBranding(em, payload.tenantId);
      const sender = branding && { name: branding.companyName, support: branding.supportEmail };
      await mailer.send(inNameOf(queue.open(payload), sender));
    },
  };
}
