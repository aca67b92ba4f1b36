import { hetznerApi, type HostingEnv } from '../env.js';
import type { Driver } from './driver.js';
import { HetznerDriver } from './hetzner/hetzner.driver.js';

/** Every provider, by its id. */
export type Drivers = ReadonlyMap<string, Driver>;

export function createDrivers(env: HostingEnv): Drivers {
  const timeoutMs = env.PROVIDER_TIMEOUT_SECONDS * 1000;
  const hetzner = new HetznerDriver(
    { base: env.HETZNER_API_BASE, timeoutMs },
    env.HETZNER_API_BASE !== hetznerApi,
  );
  return new Map([[hetzner.id, hetzner]]);
}
