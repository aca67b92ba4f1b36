import type { BackgroundWork } from '#platform/background-work.js';
import type { Mailer } from '#platform/mail.js';

/** Mails invitations, after the answer: a slow mail server holds up nobody. */
export class InvitationMail {
  constructor(
    private readonly mailer: Mailer,
    private readonly background: BackgroundWork,
    private readonly publicUrl: string,
  ) {}

  send(to: string, tenantName: string, token: string): void {
    // Names are free text; a line break in one must not start a header or a paragraph.
    const name = tenantName.replace(/\s+/g, ' ');
    const paragraphs = [
      `You are invited to join ${name}. Open this link to make your account. It works once, for 7 days.`,
      // In the fragment: browsers send it to nobody, so it is in no access log and no Referer.
      `${this.publicUrl}/account/accept-invitation#token=${token}`,
      'If you did not expect it, ignore this mail.',
    ];
    this.background.run('mail of an invitation', () =>
      this.mailer.send({ to, subject: `Join ${name}`, text: `${paragraphs.join('\n\n')}\n` }),
    );
  }
}
