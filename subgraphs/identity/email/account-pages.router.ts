import { Router } from 'express';

import { formPage, type FormPage } from '#platform/form-page.js';

import { linkQuery } from '../link/link-page.js';
import { RegistrationState } from '../registration/registration-state.js';

const home = { href: '/', text: 'Sign in' };

const verifyEmail: FormPage = {
  title: 'Confirm your e-mail address',
  form: '<button>Confirm</button>',
  link: linkQuery('EMAIL_VERIFICATION'),
  mutation: 'mutation($input: VerifyEmailInput!) { verifyEmail(input: $input) { email } }',
  done: 'Done. Your address is confirmed.',
  onward: [home],
};

const confirmEmailChange: FormPage = {
  title: 'Confirm your new e-mail address',
  form: '<button>Confirm</button>',
  link: linkQuery('EMAIL_CHANGE'),
  mutation: 'mutation($input: ConfirmEmailChangeInput!) { confirmEmailChange(input: $input) { email } }',
  done: 'Done. Sign in with this address from now on.',
  onward: [home],
};

const forgotPassword: FormPage = {
  title: 'Forgot your password?',
  form: `<label>E-mail <input name="email" type="email" required autofocus autocomplete="username"></label>
  <button>Mail me a link</button>`,
  mutation: 'mutation($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) }',
  done: 'If there is an account with this address, a link for choosing a new password is on its way to it.',
  onward: [home],
};

const resetPassword: FormPage = {
  title: 'Choose a new password',
  form: `<label>New password
    <input name="newPassword" type="password" required minlength="12" autocomplete="new-password"></label>
  <button>Set the password</button>`,
  link: linkQuery('PASSWORD_RESET', { href: '/account/forgot-password', text: 'Ask for another link' }),
  mutation: 'mutation($input: ResetPasswordInput!) { resetPassword(input: $input) }',
  done: 'Done. Sign in with the new password.',
  onward: [home],
};

const acceptInvitation: FormPage = {
  title: 'Join the organization',
  form: `<label>Your name <input name="name" required maxlength="200" autocomplete="name"></label>
  <label>Password
    <input name="password" type="password" required minlength="12" autocomplete="new-password"></label>
  <button>Make my account</button>`,
  link: linkQuery('INVITATION'),
  mutation: 'mutation($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { user { email } } }',
  done: 'Done. Sign in with the address that the invitation was mailed to.',
  onward: [home],
};

const restoreOrganization: FormPage = {
  title: 'Restore the organization',
  form: `<p>It was closed. Restored, its people sign in and its nodes work as before; its subscription does not come back.</p>
  <button>Restore the organization</button>`,
  link: linkQuery('ORGANIZATION_RESTORE'),
  mutation: 'mutation($input: RestoreOrganizationInput!) { restoreOrganization(input: $input) { name } }',
  done: 'Done. The organization is restored: sign in anew.',
  onward: [home],
};

const register: FormPage = {
  title: 'Make an organization',
  form: `<label>Your name <input name="name" required maxlength="200" autofocus autocomplete="name"></label>
  <label>Organization <input name="company" maxlength="200" autocomplete="organization"></label>
  <label>E-mail <input name="email" type="email" required autocomplete="username"></label>
  <label>Password
    <input name="password" type="password" required minlength="12" autocomplete="new-password"></label>
  <button>Make the organization</button>`,
  mutation: 'mutation($input: RegisterInput!) { register(input: $input) { user { email } } }',
  done: 'Done. You are its owner: sign in with this address and password. A link that confirms the address was mailed to it.',
  onward: [home],
};

/**
 * The pages behind the links that accounts are mailed, the one that asks for such a link, and while registration is open
 * the one that makes an account.
 */
export function createAccountPagesRouter(registration: RegistrationState): Router {
  const router = Router();
  router.get(
    '/account/register',
    registration === RegistrationState.OPEN
      ? formPage(register)
      : (_request, response) => response.redirect(303, home.href),
  );
  router.get('/account/verify-email', formPage(verifyEmail));
  router.get('/account/confirm-email-change', formPage(confirmEmailChange));
  router.get('/account/forgot-password', formPage(forgotPassword));
  router.get('/account/reset-password', formPage(resetPassword));
  router.get('/account/accept-invitation', formPage(acceptInvitation));
  router.get('/account/restore-organization', formPage(restoreOrganization));
  return router;
}
