import { z } from 'zod';

import { parseEnv, readAll, settings, type EnvSource } from '#platform/env.js';

import { areaNames, type AreaName } from './areas.js';
import { publicUrl } from './env.js';

const address = settings.url.transform((url) => url.replace(/\/$/, ''));

const settingOf = (name: AreaName) => `${name.toUpperCase()}_URL`;
const ownShape = { PUBLIC_URL: publicUrl, SECRETS_KEY: z.string(), GATEWAY_URL: address.optional() };
const addressShape = Object.fromEntries(areaNames.map((name) => [settingOf(name), address]));

/** What a process of split mode must be told beyond the panel's settings: the others' addresses, and the shared key. */
export interface SplitEnv {
  publicUrl: string;
  /** Where each subgraph is, without a path. */
  addresses: Readonly<Record<AreaName, string>>;
  /** Where subgraphs reach a gateway, without a path. */
  gatewayUrl: string;
}

export function splitEnv(source: EnvSource = process.env): SplitEnv {
  const { own, addresses } = readAll(
    { own: (from) => parseEnv(ownShape, from), addresses: (from) => parseEnv(addressShape, from) },
    source,
  );
  return {
    publicUrl: own.PUBLIC_URL,
    gatewayUrl: own.GATEWAY_URL ?? own.PUBLIC_URL,
    addresses: Object.fromEntries(
      areaNames.map((name) => [name, addresses[settingOf(name)]]),
    ) as SplitEnv['addresses'],
  };
}
