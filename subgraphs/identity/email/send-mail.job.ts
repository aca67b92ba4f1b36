import type { JobDefinition } from '#platform/jobs/job.js';
import type { Mailer } from '#platform/mail.js';

import { sendMail, type MailQueue, type SendMailPayload } from './mail-queue.js';

/** Makes one attempt at a mail. Its process may die before it can say that the server took it: it is sent again then. */
export function sendMailJob(queue: MailQueue, mailer: Mailer): JobDefinition<SendMailPayload> {
  return { ...sendMail, handle: async ({ payload }) => mailer.send(queue.open(payload)) };
}
