import { randomUUID } from 'node:crypto';

import type { JobKind, JobPayload } from '#platform/jobs/job.js';
import type { Mail } from '#platform/mail.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import type { Write } from '#platform/subgraph/operation.js';

export interface ConfirmationMailPayload extends JobPayload {
  /** The same at every attempt, so that a mailbox recognizes a repetition. */
  mailId: string;
  /** The whole mail, bound to its id: its link is a secret. */
  sealed: string;
}

export const confirmationMailKind: JobKind<ConfirmationMailPayload> = {
  name: 'fleet.notification.confirm',
  retry: { limit: 8, delaySeconds: 15, maxDelaySeconds: 15 * 60 },
  expireInSeconds: 60,
};

/** Asks a stranger whether they want alerts. Nothing in it is the tenant's to word. */
export class ConfirmationMails {
  constructor(
    private readonly keyring: Keyring,
    private readonly publicUrl: string,
  ) {}

  /** Leaves if and when the transaction commits. */
  send({ enqueue }: Pick<Write, 'enqueue'>, tenantId: string, email: string, token: string): void {
    const mailId = randomUUID();
    const mail: Mail = {
      to: email,
      subject: 'Confirm that you want alerts',
      text: [
        `Somebody wants alerts about their servers at ${this.publicUrl} mailed to this address.`,
        // In the fragment: browsers send it to nobody, so it is in no access log and no Referer.
        `Open this link to confirm that you want them. It works for three days.`,
        `${this.publicUrl}/notifications/confirm-address#token=${token}`,
        'If you do not expect this, ignore this mail: no alert is mailed to you.',
        '',
      ].join('\n\n'),
    };
    enqueue(confirmationMailKind, {
      tenantId,
      mailId,
      sealed: this.keyring.seal(JSON.stringify(mail), mailId),
    });
  }

  open({ mailId, sealed }: ConfirmationMailPayload): Mail {
    return { ...(JSON.parse(this.keyring.open(sealed, mailId)) as Mail), id: mailId };
  }
}
