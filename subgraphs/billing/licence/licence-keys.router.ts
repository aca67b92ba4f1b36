import { Router } from 'express';

import type { LicenceKeys } from './licence-keys.js';

/** The public keys by which a node verifies its licence. It keeps them, and needs nobody after that. */
export function createLicenceKeysRouter(keys: LicenceKeys): Router {
  const router = Router();
  router.get('/licences/keys.json', (_request, response) => {
    response.setHeader('Cache-Control', 'public, max-age=300');
    response.json(keys.publicKeys());
  });
  return router;
}
