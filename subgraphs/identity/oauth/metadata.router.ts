import { Router } from 'express';

import { scopes } from './authorization.service.js';
import { prompts } from './interaction.js';

/** What clients need to know of the provider (RFC 8414; OpenID Connect Discovery, section 3). */
export function providerMetadata(issuer: string): Record<string, unknown> {
  return {
    issuer,
    authorization_endpoint: `${issuer}/oauth/authorize`,
    token_endpoint: `${issuer}/api/oauth/token`,
    userinfo_endpoint: `${issuer}/api/oauth/userinfo`,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code'],
    code_challenge_methods_supported: ['S256'],
    // Nodes are public clients: PKCE is what binds a code to them.
    token_endpoint_auth_methods_supported: ['none'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
    scopes_supported: scopes,
    prompt_values_supported: prompts,
    claims_supported: [
      'iss',
      'sub',
      'aud',
      'exp',
      'iat',
      'jti',
      'nonce',
      'auth_time',
      'email',
      'email_verified',
      'name',
      'tenant',
      'role',
    ],
    authorization_response_iss_parameter_supported: true,
  };
}

export function createMetadataRouter(issuer: string): Router {
  const router = Router();
  const paths = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'];
  router.get(paths, (_request, response) => {
    response.setHeader('Cache-Control', 'public, max-age=300');
    response.json(providerMetadata(issuer));
  });
  return router;
}
