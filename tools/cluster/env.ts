import { z } from 'zod';

import { EnvError, parseEnv, settings, type EnvSource } from '#platform/env.js';

const shape = {
  DATA_DIR: z.string().default('.data'),
  PORT: settings.port.max(65_000).min(1).default(4000),
  LOG_LEVEL: z.string().default('info'),
};

export type ClusterEnv = z.infer<z.ZodObject<typeof shape>>;

/** Where the cluster of this machine is kept, and the first of its ports. */
export function clusterEnv(source: EnvSource = process.env): ClusterEnv {
  const env = parseEnv(shape, source);
  if (!Number.isInteger(env.PORT)) throw new EnvError(['PORT: must be a whole number']);
  return env;
}
