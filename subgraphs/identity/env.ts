import { z } from 'zod';

import { parseEnv, type EnvSource } from '#platform/env.js';

const shape = {
  ADMIN_EMAIL: z.email('must be an e-mail address').optional(),
  ADMIN_PASSWORD: z.string().min(12, 'must have at least 12 characters').optional(),
  SMTP_URL: z.url({ protocol: /^smtps?$/, error: 'must be an smtp:// or smtps:// address' }).optional(),
  MAIL_FROM: z.string().default('Quazzar Control Panel <no-reply@localhost>'),
  /** How long a refresh token that was just traded gives the same successor again. */
  REFRESH_GRACE_SECONDS: z.coerce.number().int().min(0).max(30, 'must be at most 30').default(10),
};

/** Identity's settings. */
export type IdentityEnv = z.infer<z.ZodObject<typeof shape>>;

export function identityEnv(source: EnvSource = process.env): IdentityEnv {
  return parseEnv(shape, source);
}
