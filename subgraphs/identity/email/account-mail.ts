import type { MailCause, MailQueue } from '#platform/mail-queue.js';
import { oneLine } from '#platform/mail.js';

import type { User } from '../user/user.entity.js';

type Addressee = Pick<User, 'tenantId' | 'email'>;

interface Closing {
  name: string;
  eraseAt: Date;
  token: string;
}

const mostListed = 50;

/** Where a new password is chosen. */
export function resetLink(publicUrl: string, token: string): string {
  return `${publicUrl}/account/reset-password#token=${token}`;
}

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
      resetLink(this.publicUrl, token),
      'If you did not ask for it, ignore this mail: your password stays as it is.',
    ]);
  }

  passwordChanged(cause: MailCause, user: Addressee): void {
    this.send(cause, user, 'Your password was changed', [
      'The password of your account was changed, and your other sessions were ended.',
      'If this was not you, ask for a password reset at once.',
    ]);
  }

  /** `others` with the roles that they have until now. */
  reclaimed(
    cause: MailCause,
    user: Addressee,
    others: readonly Pick<User, 'name' | 'email' | 'role'>[],
  ): void {
    const listed = others
      .slice(0, mostListed)
      .map(({ name, email, role }) => `${oneLine(name)} <${email}>, ${role} until now`);
    const more = others.length > mostListed ? [`and ${others.length - mostListed} more`] : [];
    this.send(cause, user, 'What was in your account before is ended', [
      'Nobody had confirmed this address before you chose a new password by it, so your account may have been made by ' +
        'somebody else, who is left with nothing: its API keys, invitations and one-time codes have ended, and in your ' +
        'organization enrollment tokens have ended, notification channels are off, repositories are paused, and the credentials of clusters and of accounts with providers are forgotten. ' +
        'Take up again what is yours.',
      ...(others.length > 0
        ? [
            'These people may only look on from now on. Give those who belong there back their roles, which the audit ' +
              'trail keeps as well:',
            [...listed, ...more].join('\n'),
            `${this.publicUrl}/members`,
          ]
        : []),
    ]);
  }

  /** To the address that is to be. */
  emailChange(cause: MailCause, { tenantId }: Addressee, email: string, token: string): void {
    this.send(cause, { tenantId, email }, 'Confirm your new e-mail address', [
      'Open this link to sign in with this address from now on. It works once, for 24 hours.',
      `${this.publicUrl}/account/confirm-email-change#token=${token}`,
      'If you did not ask for it, ignore this mail: nothing changes then.',
    ]);
  }

  /** To the address that is: whoever reads mail there may be the owner of a stolen account. */
  emailChangeWanted(cause: MailCause, user: Addressee, email: string): void {
    this.send(cause, user, 'Your e-mail address is about to change', [
      `Somebody who knows your password has asked that your account sign in as ${email}. It takes effect when the link ` +
        'that was mailed there is opened.',
      'If this was not you, choose a new password at once; that calls the change off as well:',
      `${this.publicUrl}/account/forgot-password`,
    ]);
  }

  /** `user` with the address before the change: it is told there. */
  emailChanged(cause: MailCause, user: Addressee): void {
    this.send(cause, user, 'Your e-mail address was changed', [
      'Your account signs in with another e-mail address from now on.',
      'If this was not you, tell an administrator of your organization at once.',
    ]);
  }

  secondFactorOn(cause: MailCause, user: Addressee): void {
    this.send(cause, user, 'One-time codes are on', [
      'Signing in to your account asks for a one-time code from now on.',
      'If this was not you, choose a new password at once, and have an owner or administrator of your organization ' +
        'reset your second factor:',
      `${this.publicUrl}/account/forgot-password`,
    ]);
  }

  secondFactorOff(cause: MailCause, user: Addressee): void {
    this.send(cause, user, 'One-time codes are off', [
      'Signing in to your account asks for the password only from now on.',
      'If this was not you, choose a new password at once and switch the codes on again:',
      `${this.publicUrl}/account/forgot-password`,
    ]);
  }

  secondFactorReset(cause: MailCause, user: Addressee): void {
    this.send(cause, user, 'Your one-time codes were reset', [
      'An administrator has switched off the one-time codes of your account and ended your sessions. Sign in with your ' +
        'password, and switch them on again.',
      'If you did not ask for it, tell your organization, and choose a new password:',
      `${this.publicUrl}/account/forgot-password`,
    ]);
  }

  /** Whoever did not use it learns that somebody has the code and the password, and everybody how many remain. */
  recoveryCodeUsed(cause: MailCause, user: Addressee, left: number): void {
    this.send(cause, user, 'A recovery code was used', [
      'One of the recovery codes of your account was used in the place of a one-time code. ' +
        (left === 0 ? 'None is left.' : left === 1 ? '1 is left.' : `${left} are left.`),
      'You can make new ones on the page of your account:',
      `${this.publicUrl}/profile`,
      'If this was not you, choose a new password at once, and make new codes then:',
      `${this.publicUrl}/account/forgot-password`,
    ]);
  }

  recoveryCodesReplaced(cause: MailCause, user: Addressee): void {
    this.send(cause, user, 'Your recovery codes were replaced', [
      'New recovery codes were made for your account. Those from before work no more.',
      'If this was not you, choose a new password at once, and have an owner or administrator of your organization ' +
        'reset your second factor:',
      `${this.publicUrl}/account/forgot-password`,
    ]);
  }

  sessionsEnded(cause: MailCause, user: Addressee): void {
    this.send(cause, user, 'Your sessions were ended', [
      'An owner or administrator of your organization has ended all sessions of your account. Sign in again to go on.',
      'If a device of yours was lost or stolen, choose a new password as well:',
      `${this.publicUrl}/account/forgot-password`,
    ]);
  }

  /** To each owner: whoever did not close it is to learn of it, and may take it back. */
  organizationClosed(cause: MailCause, user: Addressee, { name, eraseAt, token }: Closing): void {
    const at = `${eraseAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
    this.send(cause, user, 'Your organization was closed', [
      `${oneLine(name)} was closed: nobody can sign in to it, its nodes and API keys are refused, and its ` +
        `subscription is cancelled. All that it has is erased ${at}.`,
      'Until then this link restores it, without its subscription. It works once.',
      `${this.publicUrl}/account/restore-organization#token=${token}`,
      'For a copy of what it had, restore it and export it on the page Members, or ask whoever runs the panel, who can ' +
        'still hand it out for 30 days after the erasure.',
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
