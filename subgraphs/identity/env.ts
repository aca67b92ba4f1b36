import { z } from 'zod';

import { parseEnv, type EnvSource } from '#platform/env.js';

/** Identity's settings. */
export interface IdentityEnv {
  ADMIN_EMAIL?: string | undefined;
  ADMIN_PASSWORD?: string | undefined;
}

export function identityEnv(source: EnvSource = process.env): IdentityEnv {
  return parseEnv(
    {
      ADMIN_EMAIL: z.email('must be an e-mail address').optional(),
      ADMIN_PASSWORD: z.string().min(12, 'must have at least 12 characters').optional(),
    },
    source,
  );
}
