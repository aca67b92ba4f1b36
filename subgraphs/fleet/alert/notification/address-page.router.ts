import { Router } from 'express';

import { formPage } from '#platform/form-page.js';

/** Where the link leads that asks whether an address wants alerts. */
export function createAddressPageRouter(): Router {
  const router = Router();
  router.get(
    '/notifications/confirm-address',
    formPage({
      title: 'Confirm that you want alerts',
      form: '<button>I want them</button>',
      link: {},
      mutation:
        'mutation($input: ConfirmNotificationAddressInput!) { confirmNotificationAddress(input: $input) { email } }',
      done: 'Done. Alerts are mailed to you from now on.',
    }),
  );
  return router;
}
