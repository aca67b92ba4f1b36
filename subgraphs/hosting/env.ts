import { z } from 'zod';

import { parseEnv, settings, type EnvSource } from '#platform/env.js';

export const hetznerApi = 'https://api.hetzner.cloud/v1';
export const digitalOceanApi = 'https://api.digitalocean.com/v2';

const base = settings.url.transform((url) => url.replace(/\/$/, ''));

function isHttpUrl(text: string): boolean {
  return /^https?:$/.test(URL.parse(text)?.protocol ?? '');
}

/** Hosting's settings. */
export interface HostingEnv {
  /** Where Hetzner Cloud's API is. */
  HETZNER_API_BASE: string;
  /** Where DigitalOcean's API is. */
  DIGITALOCEAN_API_BASE: string;
  /** What a new server fetches and runs to become a node; without it servers at real providers become none. */
  CLOUD_OS_INSTALLER?: string | undefined;
  /** How long one call to a provider may take. */
  PROVIDER_TIMEOUT_SECONDS: number;
  /** Patroni's REST interfaces, with a name and a password where they ask for them; none without Patroni. */
  PATRONI_URLS: readonly string[];
  /** How long servers that are deleted stay in the record. */
  SERVER_HISTORY_DAYS: number;
  /** How many revisions of a deployment are kept beside the one that is wanted. */
  REVISION_HISTORY_LIMIT: number;
  /** Clusters' addresses that are let through although they are private. */
  ALLOW_PRIVATE_TARGETS: readonly string[];
}

export function hostingEnv(source: EnvSource = process.env): HostingEnv {
  return parseEnv(
    {
      HETZNER_API_BASE: base.default(hetznerApi),
      DIGITALOCEAN_API_BASE: base.default(digitalOceanApi),
      CLOUD_OS_INSTALLER: z
        .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
        // It stands between quotes in what the new server's shell runs.
        .refine((url) => !/['\s]/.test(url), 'must have neither quotes nor spaces')
        .optional(),
      PROVIDER_TIMEOUT_SECONDS: settings.seconds.default(20),
      // Costs of the month are counted from the record.
      SERVER_HISTORY_DAYS: z.coerce.number().int().min(32, 'must be 32 or more').default(400),
      // Each has its variables in it, of 64 kB at most.
      REVISION_HISTORY_LIMIT: z.coerce
        .number()
        .int()
        .min(1, 'must be from 1 to 100')
        .max(100, 'must be from 1 to 100')
        .default(10),
      PATRONI_URLS: z
        .string()
        .default('')
        .transform((text) => text.split(',').flatMap((url) => (url.trim() === '' ? [] : [url.trim()])))
        .refine((urls) => urls.every(isHttpUrl), 'must be http(s) URLs separated by commas'),
      ALLOW_PRIVATE_TARGETS: settings.privateTargets,
    },
    source,
  );
}
