import { parseEnv, type EnvSource } from '#platform/env.js';

const shape = {};

/** Billing's settings: it needs none yet. */
export type BillingEnv = typeof shape;

export function billingEnv(source: EnvSource = process.env): BillingEnv {
  return parseEnv(shape, source);
}
