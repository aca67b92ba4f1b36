import { z } from 'zod';

import { parseEnv, type EnvSource } from '#platform/env.js';

/** Governance's settings. */
export interface GovernanceEnv {
  /** Private addresses at which repositories may be: subnets, addresses and host names. */
  ALLOW_PRIVATE_TARGETS: readonly string[];
}

export function governanceEnv(source: EnvSource = process.env): GovernanceEnv {
  return parseEnv(
    {
      ALLOW_PRIVATE_TARGETS: z
        .string()
        .default('')
        .transform((text) => text.split(',')),
    },
    source,
  );
}
