import type { BackgroundWork } from '#platform/background-work.js';
import type { Mailer } from '#platform/mail.js';

/** The mail that accounts cause. It is sent after the answer, so that a slow mail server holds up nobody. */
export class AccountMail {
  constructor(
    private readonly mailer: Mailer,
    private readonly background: BackgroundWork,
    private readonly publicUrl: string,
  ) {}

  verification(email: string, token: string): void {
    this.send(email, 'Confirm your e-mail address', [
      'Open this link to confirm that this address is yours. It works for 24 hours.',
      // In the fragment: browsers send it to nobody, so it is in no access log and no Referer.
      `${this.publicUrl}/account/verify-email#token=${token}`,
      'If you did not sign up, ignore this mail.',
    ]);
  }

  passwordReset(email: string, token: string): void {
    this.send(email, 'Choose a new password', [
      'Open this link to choose a new password. It works once, for one hour.',
      `${this.publicUrl}/account/reset-password#token=${token}`,
      'If you did not ask for it, ignore this mail: your password stays as it is.',
    ]);
  }

  passwordChanged(email: string): void {
    this.send(email, 'Your password was changed', [
      'The password of your account was changed, and your other sessions were ended.',
      'If this was not you, ask for a password reset at once.',
    ]);
  }

  emailChanged(formerEmail: string): void {
    this.send(formerEmail, 'Your e-mail address was changed', [
      'Your account signs in with another e-mail address from now on.',
      'If this was not you, tell an administrator of your organization at once.',
    ]);
  }

  private send(to: string, subject: string, paragraphs: string[]): void {
    this.background.run(`mail "${subject}"`, () =>
      this.mailer.send({ to, subject, text: `${paragraphs.join('\n\n')}\n` }),
    );
  }
}
