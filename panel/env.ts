import { hostname } from 'node:os';

import pg from 'pg';
import { z } from 'zod';

import { parseTrustProxy } from '#gateway/client-address.js';
import { parseOrigins } from '#gateway/origins.js';
import { defaultConnections } from '#platform/database/connections.js';
import { EnvError, parseEnv, readAll, settings, type EnvSource } from '#platform/env.js';
import { defaultKeepAliveSeconds } from '#platform/http-server.js';

const secretsKeys = z
  .string()
  .refine(
    (text) => text.split(',').every((key) => Buffer.from(key.trim(), 'base64').length === 32),
    'must be 32 bytes in base64; during a rotation several, separated by commas, the newest first',
  );

/** Everything is served at the root of a host name: pages, cookies and metadata name each other by absolute paths. */
export const publicUrl = settings.url
  .transform((url) => url.replace(/\/$/, ''))
  .refine((url) => {
    const { protocol, origin, href } = new URL(url);
    return /^https?:$/.test(protocol) && href === `${origin}/`;
  }, 'must be http(s)://host or http(s)://host:port without a path: the panel needs a host name of its own');

/** A setting with a reader that throws in words for the operator. */
function readBy<Value>(read: (text: string) => Value) {
  return z.string().transform((text, context) => {
    try {
      return read(text);
    } catch (error) {
      context.addIssue(error instanceof Error ? error.message : String(error));
      return z.NEVER;
    }
  });
}

/** An address that can be connected to, as far as can be told without doing so: files of certificates are read. */
const databaseUrl = settings.url.pipe(
  readBy((url) => {
    new pg.Client({ connectionString: url });
    return url;
  }),
);

const shape = {
  PORT: settings.port.default(4000),
  HOST: z.string().optional(),
  PUBLIC_URL: publicUrl.optional(),
  DATA_DIR: z.string().default('.data'),
  DATABASE_URL: databaseUrl.optional(),
  DATABASE_OWNER_URL: databaseUrl.optional(),
  DATABASE_DIRECT_URL: databaseUrl.optional(),
  DATABASE_READ_URL: databaseUrl.optional(),
  DATABASE_CONNECTIONS: z.coerce.number().int().min(4).max(500).default(defaultConnections),
  SECRETS_KEY: secretsKeys.optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  RATE_LIMIT_PER_MINUTE: z.coerce.number().int().positive().default(200),
  REDIS_URL: settings.url.optional(),
  METRICS_TOKEN: z.string().min(16, 'must have at least 16 characters').optional(),
  METRICS_PORT: settings.port.optional(),
  METRICS_HOST: z.string().default('127.0.0.1'),
  OTEL_EXPORTER_OTLP_ENDPOINT: settings.url.optional(),
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number().min(0).max(1).default(1),
  NODE_NAME: z.string().default(hostname()),
  NODE_ADDRESS: z.string().optional(),
  PANEL_VERSION: z.string().max(100).optional(),
  TRUST_PROXY: readBy(parseTrustProxy).default(false),
  CORS_ORIGINS: readBy(parseOrigins).optional(),
  KEEP_ALIVE_SECONDS: settings.seconds.max(3600).default(defaultKeepAliveSeconds),
  DRAIN_SECONDS: z.coerce.number().min(0).max(300).default(2),
};

/** The process's own settings. */
export type PanelEnv = z.infer<z.ZodObject<typeof shape>>;

export function panelEnv(source: EnvSource = process.env): PanelEnv {
  // Processes on a database of their own may be several, and must share the key.
  const needsKey = isSet(source, 'DATABASE_URL');
  const own = { ...shape, ...(needsKey ? { SECRETS_KEY: secretsKeys } : {}) };
  return readAll({ env: (from) => parseEnv(own, from), database: assertDatabaseNamed }, source).env;
}

/** Taken alone these would say whose database is meant, and the panel would make and use another one. */
function assertDatabaseNamed(source: EnvSource): void {
  if (isSet(source, 'DATABASE_URL')) return;
  const alone = ['DATABASE_OWNER_URL', 'DATABASE_DIRECT_URL', 'DATABASE_READ_URL'].filter((name) =>
    isSet(source, name),
  );
  if (alone.length > 0)
    throw new EnvError(
      alone.map((name) => `DATABASE_URL is required with ${name}: the same database, as the role panel_app`),
    );
}

/** The address that the world knows a panel by. */
export function publicUrlOf({ PUBLIC_URL, PORT }: Pick<PanelEnv, 'PUBLIC_URL' | 'PORT'>): string {
  return PUBLIC_URL ?? `http://localhost:${PORT}`;
}

const { DATA_DIR, DATABASE_URL, DATABASE_OWNER_URL, DATABASE_DIRECT_URL, DATABASE_READ_URL, LOG_LEVEL } =
  shape;
const databaseShape = {
  DATA_DIR,
  DATABASE_URL,
  DATABASE_OWNER_URL,
  DATABASE_DIRECT_URL,
  DATABASE_READ_URL,
  LOG_LEVEL,
  SECRETS_KEY: shape.SECRETS_KEY,
};

/** Which database is meant. */
export type DatabaseEnv = z.infer<z.ZodObject<typeof databaseShape>>;

/** For migrating alone, which as the owner can do without the application's login and without the key. */
export function databaseEnv(source: EnvSource = process.env): DatabaseEnv {
  return readAll({ env: (from) => parseEnv(databaseShape, from), owner: assertOwnerNamed }, source).env;
}

const dataShape = { DATA_DIR, DATABASE_URL, SECRETS_KEY: shape.SECRETS_KEY };

/** Where data and the key are kept. */
export type DataEnv = z.infer<z.ZodObject<typeof dataShape>>;

export function dataEnv(source: EnvSource): DataEnv {
  return parseEnv(dataShape, source);
}

function assertOwnerNamed(source: EnvSource): void {
  if (!isSet(source, 'DATABASE_URL') || isSet(source, 'DATABASE_OWNER_URL')) return;
  throw new EnvError([
    'DATABASE_OWNER_URL is required to migrate the database of DATABASE_URL, whose role panel_app owns nothing',
  ]);
}

function isSet(source: EnvSource, name: string): boolean {
  return [name, `${name}_FILE`].some((setting) => (source[setting] ?? '') !== '');
}
