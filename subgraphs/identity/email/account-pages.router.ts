import { Router } from 'express';

import { formPage, type FormPage } from '#platform/form-page.js';

const verifyEmail: FormPage = {
  title: 'Confirm your e-mail address',
  form: '<button>Confirm</button>',
  mutation: 'mutation($input: VerifyEmailInput!) { verifyEmail(input: $input) { email } }',
  done: 'Done. Your address is confirmed.',
};

const resetPassword: FormPage = {
  title: 'Choose a new password',
  form: `<label>New password
    <input name="newPassword" type="password" required minlength="12" autocomplete="new-password"></label>
  <button>Set the password</button>`,
  mutation: 'mutation($input: ResetPasswordInput!) { resetPassword(input: $input) }',
  done: 'Done. Sign in with the new password.',
};

const acceptInvitation: FormPage = {
  title: 'Join the organization',
  form: `<label>Your name <input name="name" required maxlength="200" autocomplete="name"></label>
  <label>Password
    <input name="password" type="password" required minlength="12" autocomplete="new-password"></label>
  <button>Make my account</button>`,
  mutation: 'mutation($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { user { email } } }',
  done: 'Done. Sign in with the address that the invitation was mailed to.',
};

/** The pages behind the links that accounts are mailed. */
export function createAccountPagesRouter(): Router {
  const router = Router();
  router.get('/account/verify-email', formPage(verifyEmail));
  router.get('/account/reset-password', formPage(resetPassword));
  router.get('/account/accept-invitation', formPage(acceptInvitation));
  return router;
}
