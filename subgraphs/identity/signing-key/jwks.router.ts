import { Router } from 'express';

import type { SigningKeyService } from './signing-key.service.js';

/** The public keys that verify the panel's tokens and assertions (RFC 7517). */
export function createJwksRouter(keys: SigningKeyService): Router {
  const router = Router();
  router.get('/.well-known/jwks.json', (_request, response) => {
    response.setHeader('Cache-Control', 'public, max-age=300');
    response.json(keys.publicKeys());
  });
  return router;
}
