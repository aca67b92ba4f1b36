import { hostname } from 'node:os';

import { z } from 'zod';

import { EnvError, parseEnv, settings, type EnvSource } from '#platform/env.js';

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
  NODE_NAME: z.string().default(hostname()),
  TRUST_PROXY: z.string().optional(),
  DRAIN_SECONDS: z.coerce.number().min(0).max(300).default(2),
};

/** The process's own settings. */
export type PanelEnv = z.infer<z.ZodObject<typeof shape>>;

export function panelEnv(source: EnvSource = process.env): PanelEnv {
  // Processes on a database of their own may be several, and must share the key.
  const needsKey = isSet(source, 'DATABASE_URL');
  const env = parseEnv({ ...shape, ...(needsKey ? { SECRETS_KEY: secretsKeys } : {}) }, source);
  // Taken alone it would say whose database is meant, and the panel would make and use another one.
  if (isSet(source, 'DATABASE_OWNER_URL') && !needsKey) {
    throw new EnvError([
      'DATABASE_URL is required with DATABASE_OWNER_URL: the same database, as the role panel_app',
    ]);
  }
  return env;
}

const { DATA_DIR, DATABASE_URL, DATABASE_OWNER_URL, LOG_LEVEL } = shape;
const databaseShape = {
  DATA_DIR,
  DATABASE_URL,
  DATABASE_OWNER_URL,
  LOG_LEVEL,
  SECRETS_KEY: shape.SECRETS_KEY,
};

/** Which database is meant. */
export type DatabaseEnv = z.infer<z.ZodObject<typeof databaseShape>>;

/** For migrating alone, which as the owner can do without the application's login and without the key. */
export function databaseEnv(source: EnvSource = process.env): DatabaseEnv {
  const env = parseEnv(databaseShape, source);
  if (env.DATABASE_URL && !env.DATABASE_OWNER_URL) {
    throw new EnvError([
      'DATABASE_OWNER_URL is required to migrate the database of DATABASE_URL, whose role panel_app owns nothing',
    ]);
  }
  return env;
}

function isSet(source: EnvSource, name: string): boolean {
  return (source[name] ?? '') !== '';
}
