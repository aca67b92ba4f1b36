import { hostname } from 'node:os';

import { z } from 'zod';

import { parseEnv, settings, type EnvSource } from '#platform/env.js';

const secretsKeys = z
  .string()
  .refine(
    (text) => text.split(',').every((key) => Buffer.from(key.trim(), 'base64').length === 32),
    'must be 32 bytes in base64; during a rotation several, separated by commas, the newest first',
  );

const shape = {
  PORT: settings.port.default(4000),
  HOST: z.string().optional(),
  PUBLIC_URL: settings.url.transform((url) => url.replace(/\/$/, '')).optional(),
  DATA_DIR: z.string().default('.data'),
  DATABASE_URL: settings.url.optional(),
  DATABASE_OWNER_URL: settings.url.optional(),
  SECRETS_KEY: secretsKeys.optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  RATE_LIMIT_PER_MINUTE: z.coerce.number().int().positive().default(200),
  REDIS_URL: settings.url.optional(),
  METRICS_TOKEN: z.string().min(16, 'must have at least 16 characters').optional(),
  METRICS_PORT: settings.port.optional(),
  METRICS_HOST: z.string().default('127.0.0.1'),
  NODE_NAME: z.string().default(hostname()),
  TRUST_PROXY: z.string().optional(),
};

/** The process's own settings. */
export type PanelEnv = z.infer<z.ZodObject<typeof shape>>;

export function panelEnv(source: EnvSource = process.env): PanelEnv {
  // Processes on a database of their own may be several, and must share the key.
  const needsKey = (source['DATABASE_URL'] ?? '') !== '';
  return parseEnv({ ...shape, ...(needsKey ? { SECRETS_KEY: secretsKeys } : {}) }, source);
}
