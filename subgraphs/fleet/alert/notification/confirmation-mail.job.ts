import type { JobDefinition } from '#platform/jobs/job.js';
import type { MailQueue, SendMailPayload } from '#platform/mail-queue.js';
import type { Mailer } from '#platform/mail.js';

/** Makes one attempt at a mail that asks for a confirmation. */
export function confirmationMailJob(queue: MailQueue, mailer: Mailer): JobDefinition<SendMailPayload> {
  return { ...queue.kind, handle: async ({ payload }) => mailer.send(queue.open(payload)) };
}
