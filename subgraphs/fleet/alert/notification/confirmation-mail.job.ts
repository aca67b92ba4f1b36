import type { JobDefinition } from '#platform/jobs/job.js';
import type { Mailer } from '#platform/mail.js';

import {
  confirmationMailKind,
  type ConfirmationMailPayload,
  type ConfirmationMails,
} from './confirmation-mail.js';

/** Makes one attempt at a mail that asks for a confirmation. */
export function confirmationMailJob(
  mails: ConfirmationMails,
  mailer: Mailer,
): JobDefinition<ConfirmationMailPayload> {
  return {
    ...confirmationMailKind,
    handle: async ({ payload }) => mailer.send(mails.open(payload)),
  };
}
