import type { MailCause, MailQueue } from '#platform/mail-queue.js';

/** Mails invitations, in the transactions that cause them. */
export class InvitationMail {
  constructor(
    private readonly queue: MailQueue,
    private readonly publicUrl: string,
  ) {}

  /** `tenantId` is the tenant of the transaction, which is not always the one that is joined. */
  send(
    cause: MailCause,
    tenantId: string,
    { to, tenantName, token }: { to: string; tenantName: string; token: string },
  ): void {
    // Names are free text; a line break in one must not start a header or a paragraph.
    const name = tenantName.replace(/\s+/g, ' ');
    const paragraphs = [
      `You are invited to join ${name}. Open this link to make your account. It works once, for 7 days.`,
      // In the fragment: browsers send it to nobody, so it is in no access log and no Referer.
      `${this.publicUrl}/account/accept-invitation#token=${token}`,
      'If you did not expect it, ignore this mail.',
    ];
    this.queue.send(cause, tenantId, {
      kind: 'Invitation',
      to,
      subject: `Join ${name}`,
      text: `${paragraphs.join('\n\n')}\n`,
    });
  }
}
