import { parseEnv, type EnvSource } from '#platform/env.js';

/** Governance has no settings of its own. */
export type GovernanceEnv = Readonly<Record<string, never>>;

export function governanceEnv(source: EnvSource = process.env): GovernanceEnv {
  return parseEnv({}, source);
}
