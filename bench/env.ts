import { z } from 'zod';

import { parseEnv, type EnvSource } from '#platform/env.js';

const shape = {
  /** How long `everything` goes on. Tokens last fifteen minutes, so that more than twelve would be another measurement. */
  BENCH_MINUTES: z.coerce.number().min(0.2).max(12).default(10),
  /** Which part of the tenants of `everything` there are: 1 is all of them. */
  BENCH_SHARE: z.coerce.number().min(0.02).max(1).default(1),
};

export type BenchEnv = z.infer<z.ZodObject<typeof shape>>;

/** How much of a measurement that has a length is made. */
export function benchEnv(source: EnvSource = process.env): BenchEnv {
  return parseEnv(shape, source);
}
