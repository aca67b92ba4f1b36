import { z } from 'zod';

import { parseEnv, settings, type EnvSource } from '#platform/env.js';

/** Governance's settings. */
export interface GovernanceEnv {
  /** Private addresses at which repositories may be: subnets, addresses and host names. */
  ALLOW_PRIVATE_TARGETS: readonly string[];
  /** A file with the authorities that git trusts, in place of the system's. */
  GIT_SSL_CAINFO?: string | undefined;
  /** Where git and ssh are looked for. */
  PATH: string;
}

export function governanceEnv(source: EnvSource = process.env): GovernanceEnv {
  return parseEnv(
    {
      ALLOW_PRIVATE_TARGETS: settings.privateTargets,
      GIT_SSL_CAINFO: z.string().optional(),
      PATH: z.string().default('/usr/local/bin:/usr/bin:/bin'),
    },
    source,
  );
}
