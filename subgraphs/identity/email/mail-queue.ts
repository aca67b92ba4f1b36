import { randomUUID } from 'node:crypto';

import type { JobKind, JobPayload } from '#platform/jobs/job.js';
import type { Mail } from '#platform/mail.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import type { Write } from '#platform/subgraph/operation.js';

export interface SendMailPayload extends JobPayload {
  /** The same at every attempt, so that a mailbox recognizes a repetition. */
  mailId: string;
  /** The whole mail, bound to its id: its links are secrets. */
  sealed: string;
}

/** From the first attempt to the last one it takes 45 minutes at least. */
export const sendMail: JobKind<SendMailPayload> = {
  name: 'identity.mail.send',
  retry: { limit: 8, delaySeconds: 15, maxDelaySeconds: 15 * 60 },
  expireInSeconds: 60,
};

/** What asks for mail: an operation's write, or a job's. */
export type MailCause = Pick<Write, 'enqueue'>;

/** Mail that leaves if and when the transaction that causes it commits, however often the mail server is down. */
export class MailQueue {
  constructor(private readonly keyring: Keyring) {}

  send({ enqueue }: MailCause, tenantId: string, mail: Mail): void {
    const mailId = randomUUID();
    enqueue(sendMail, { tenantId, mailId, sealed: this.keyring.seal(JSON.stringify(mail), mailId) });
  }

  open({ mailId, sealed }: SendMailPayload): Mail {
    return { ...(JSON.parse(this.keyring.open(sealed, mailId)) as Mail), id: mailId };
  }
}
