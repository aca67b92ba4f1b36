import { Router } from 'express';

import type { OperationFor } from '../raw-operation.js';
import type { BrandingService } from './branding.service.js';

/**
 * GET /branding/logo/{sha256}: the panel's own copy of a logo. Even opened by itself it runs nothing and loads nothing
 * (OWASP, SVG: a policy of its own and a sandbox).
 */
export function createLogoRouter(brandings: BrandingService, operationFor: OperationFor): Router {
  const router = Router();
  router.get('/branding/logo/:sha256', async (request, response) => {
    const { sha256 } = request.params;
    const logo = /^[0-9a-f]{64}$/.test(sha256)
      ? await brandings.logo(await operationFor(request, response), sha256)
      : undefined;
    if (!logo) {
      response.status(404).json({ error: 'Logo not found' });
      return;
    }
    response.setHeader('Content-Security-Policy', `default-src 'none'; style-src 'unsafe-inline'; sandbox`);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
    response.setHeader('Cache-Control', 'public, max-age=31536000, immutable');
    response.setHeader('Content-Type', logo.type);
    response.end(logo.content);
  });
  return router;
}
