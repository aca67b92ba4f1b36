import { z } from 'zod';

import { EnvError, parseEnv, readAll, settingOf, settings, type EnvSource } from '#platform/env.js';

import { normalPassword } from './password/normal-password.js';
import { normalEmail } from './user/email-address.js';

const shape = {
  ADMIN_EMAIL: z
    .string()
    .transform(normalEmail)
    .pipe(z.email('must be an e-mail address').max(254, 'must have at most 254 characters'))
    .optional(),
  ADMIN_PASSWORD: z
    .string()
    .refine((text) => normalPassword(text).length >= 12, 'must have at least 12 characters')
    .refine((text) => normalPassword(text).length <= 256, 'must have at most 256 characters')
    .optional(),
  /** Whether anybody may make an organization of their own. */
  REGISTRATION: z.enum(['open', 'closed'], 'must be open or closed').default('open'),
  SMTP_URL: z.url({ protocol: /^smtps?$/, error: 'must be an smtp:// or smtps:// address' }).optional(),
  /** Prints mail to the log when there is no SMTP_URL, one-time links and all. */
  MAIL_LOG: settings.flag.default(false),
  MAIL_FROM: z.string().default('Quazzar Control Panel <no-reply@localhost>'),
  ALLOW_PRIVATE_TARGETS: settings.privateTargets,
  /** How long a refresh token that was just traded gives the same successor again. */
  REFRESH_GRACE_SECONDS: z.coerce.number().int().min(0).max(30, 'must be at most 30').default(10),
};

/** Identity's settings. */
export type IdentityEnv = z.infer<z.ZodObject<typeof shape>>;

export function identityEnv(source: EnvSource = process.env): IdentityEnv {
  return readAll({ env: (from) => parseEnv(shape, from), administrator: assertWhole }, source).env;
}

/** One of the two alone makes nobody an administrator, which would show only when somebody misses them. */
function assertWhole(source: EnvSource): void {
  const email = settingOf(source, 'ADMIN_EMAIL');
  const password = settingOf(source, 'ADMIN_PASSWORD');
  if (email && !password) throw new EnvError(['ADMIN_PASSWORD is required with ADMIN_EMAIL']);
  if (password && !email) throw new EnvError(['ADMIN_EMAIL is required with ADMIN_PASSWORD']);
}
