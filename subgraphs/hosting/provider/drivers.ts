import { digitalOceanApi, hetznerApi, type HostingEnv } from '../env.js';
import { DigitalOceanDriver } from './digitalocean/digitalocean.driver.js';
import type { Driver } from './driver.js';
import { HetznerDriver } from './hetzner/hetzner.driver.js';

/** Every provider, by its id. */
export type Drivers = ReadonlyMap<string, Driver>;

export function createDrivers(env: HostingEnv): Drivers {
  const { HETZNER_API_BASE: hetzner, DIGITALOCEAN_API_BASE: digitalOcean } = env;
  const timeoutMs = env.PROVIDER_TIMEOUT_SECONDS * 1000;
  const all: Driver[] = [
    new HetznerDriver({ base: hetzner, timeoutMs }, hetzner !== hetznerApi),
    new DigitalOceanDriver({ base: digitalOcean, timeoutMs }, digitalOcean !== digitalOceanApi),
  ];
  return new Map(all.map((driver) => [driver.id, driver]));
}
