import type { MailCause, MailQueue } from '#platform/mail-queue.js';

/** Asks a stranger whether they want alerts. Nothing in it is the tenant's to word. */
export class ConfirmationMail {
  constructor(
    private readonly queue: MailQueue,
    private readonly publicUrl: string,
  ) {}

  send(cause: MailCause, tenantId: string, email: string, token: string): void {
    const paragraphs = [
      `Somebody wants alerts about their servers at ${this.publicUrl} mailed to this address.`,
      // In the fragment: browsers send it to nobody, so it is in no access log and no Referer.
      `Open this link to confirm that you want them. It works for three days.`,
      `${this.publicUrl}/notifications/confirm-address#token=${token}`,
      'If you do not expect this, ignore this mail: no alert is mailed to you.',
    ];
    this.queue.send(cause, tenantId, {
      kind: 'Confirm that you want alerts',
      to: email,
      subject: 'Confirm that you want alerts',
      text: `${paragraphs.join('\n\n')}\n`,
    });
  }
}
