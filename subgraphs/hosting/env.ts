import { z } from 'zod';

import { parseEnv, settings, type EnvSource } from '#platform/env.js';

export const hetznerApi = 'https://api.hetzner.cloud/v1';

/** Hosting's settings. */
export interface HostingEnv {
  /** Where Hetzner Cloud's API is. */
  HETZNER_API_BASE: string;
  /** What a new server fetches and runs to become a node. */
  CLOUD_OS_INSTALLER: string;
  /** How long one call to a provider may take. */
  PROVIDER_TIMEOUT_SECONDS: number;
  /** Clusters' addresses that are let through although they are private. */
  ALLOW_PRIVATE_TARGETS: readonly string[];
}

export function hostingEnv(source: EnvSource = process.env): HostingEnv {
  return parseEnv(
    {
      HETZNER_API_BASE: settings.url.transform((url) => url.replace(/\/$/, '')).default(hetznerApi),
      CLOUD_OS_INSTALLER: z
        .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
        .default('https://get.quazzar.cloud/install.sh'),
      PROVIDER_TIMEOUT_SECONDS: settings.seconds.default(20),
      ALLOW_PRIVATE_TARGETS: z
        .string()
        .default('')
        .transform((text) => text.split(',')),
    },
    source,
  );
}
