import { Router } from 'express';

import { formPage } from '#platform/form-page.js';

import { linkQuery } from '../link/link-page.js';

/** The page behind the one-time set-up link. */
export function createSetupRouter(): Router {
  const router = Router();
  router.get(
    '/setup',
    formPage({
      title: 'Set up the Control Panel',
      form: `<label>Your name <input name="name" required autocomplete="name"></label>
  <label>Organization <input name="company" autocomplete="organization"></label>
  <label>E-mail <input name="email" type="email" required autocomplete="username"></label>
  <label>Password <input name="password" type="password" required minlength="12" autocomplete="new-password"></label>
  <button>Make the administrator</button>`,
      mutation: 'mutation($input: CompleteSetupInput!) { completeSetup(input: $input) { user { email } } }',
      fieldsAre: 'account',
      link: linkQuery('SETUP', { href: '/', text: 'Sign in' }),
      done: 'Done. You are the administrator of this panel; sign in with this address and password.',
      onward: [{ href: '/', text: 'Sign in' }],
    }),
  );
  return router;
}
