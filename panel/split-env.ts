import { z } from 'zod';

import { parseEnv, settings, type EnvSource } from '#platform/env.js';

import { publicUrl } from './env.js';
import type { SubgraphName } from './subgraphs.js';

const address = settings.url.transform((url) => url.replace(/\/$/, ''));

const shape = { PUBLIC_URL: publicUrl, SECRETS_KEY: z.string(), IDENTITY_URL: address, FLEET_URL: address };

/** What a process of split mode must be told beyond the panel's settings: the others' addresses, and the shared key. */
export interface SplitEnv {
  publicUrl: string;
  /** Where each subgraph is, without a path. */
  addresses: Readonly<Record<SubgraphName, string>>;
}

export function splitEnv(source: EnvSource = process.env): SplitEnv {
  const env = parseEnv(shape, source);
  return { publicUrl: env.PUBLIC_URL, addresses: { identity: env.IDENTITY_URL, fleet: env.FLEET_URL } };
}
