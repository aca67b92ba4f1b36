import { randomUUID } from 'node:crypto';

import type { JobKind, JobPayload } from './jobs/job.js';
import type { Mail } from './mail.js';
import type { Keyring } from './secrets/keyring.js';
import type { Write } from './subgraph/operation.js';

export interface SendMailPayload extends JobPayload {
  /** The same at every attempt, so that a mailbox recognizes a repetition. */
  mailId: string;
  /** The whole mail, bound to its id: its links are secrets. */
  sealed: string;
}

/** What asks for mail: an operation's write, or a job's. */
export type MailCause = Pick<Write, 'enqueue'>;

/** Mail that leaves if and when the transaction that causes it commits, however often the mail server is down. */
export class MailQueue {
  /** From the first attempt to the last one it takes 45 minutes at least. */
  readonly kind: JobKind<SendMailPayload>;

  /** `name` is that of its job, `area.noun.verb`. */
  constructor(
    name: string,
    private readonly keyring: Keyring,
  ) {
    this.kind = {
      name,
      retry: { limit: 8, delaySeconds: 15, maxDelaySeconds: 15 * 60 },
      expireInSeconds: 60,
    };
  }

  send({ enqueue }: MailCause, tenantId: string, mail: Mail): void {
    const mailId = randomUUID();
    enqueue(this.kind, { tenantId, mailId, sealed: this.keyring.seal(JSON.stringify(mail), mailId) });
  }

  open({ mailId, sealed }: SendMailPayload): Mail {
    return { ...(JSON.parse(this.keyring.open(sealed, mailId)) as Mail), id: mailId };
  }
}
