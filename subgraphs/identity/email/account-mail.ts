import type { MailCause, MailQueue } from '#platform/mail-queue.js';

import type { User } from '../user/user.entity.js';

type Addressee = Pick<User, 'tenantId' | 'email'>;

/** The mail that accounts cause, in the transactions that cause it. */
export class AccountMail {
  constructor(
    private readonly queue: MailQueue,
    private readonly publicUrl: string,
  ) {}

  verification(cause: MailCause, user: Addressee, token: string): void {
    this.send(cause, user, 'Confirm your e-mail address', [
      'Open this link to confirm that this address is yours. It works for 24 hours.',
      // In the fragment: browsers send it to nobody, so it is in no access log and no Referer.
      `${this.publicUrl}/account/verify-email#token=${token}`,
      'If you did not sign up, ignore this mail.',
    ]);
  }

  passwordReset(cause: MailCause, user: Addressee, token: string): void {
    this.send(cause, user, 'Choose a new password', [
      'Open this link to choose a new password. It works once, for one hour.',
      `${this.publicUrl}/account/reset-password#token=${token}`,
      'If you did not ask for it, ignore this mail: your password stays as it is.',
    ]);
  }

  passwordChanged(cause: MailCause, user: Addressee): void {
    this.send(cause, user, 'Your password was changed', [
      'The password of your account was changed, and your other sessions were ended.',
      'If this was not you, ask for a password reset at once.',
    ]);
  }

  /** `user` with the address before the change: it is told there. */
  emailChanged(cause: MailCause, user: Addressee): void {
    this.send(cause, user, 'Your e-mail address was changed', [
      'Your account signs in with another e-mail address from now on.',
      'If this was not you, tell an administrator of your organization at once.',
    ]);
  }

  private send(
    cause: MailCause,
    { tenantId, email }: Addressee,
    subject: string,
    paragraphs: string[],
  ): void {
    this.queue.send(cause, tenantId, {
      kind: subject,
      to: email,
      subject,
      text: `${paragraphs.join('\n\n')}\n`,
    });
  }
}
