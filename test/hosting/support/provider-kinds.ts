import type { CloudSandbox, CloudSandboxOptions } from '#sandbox/cloud/start.js';
import { startDigitalOceanSandbox } from '#sandbox/digitalocean/start.js';
import { startHetznerSandbox } from '#sandbox/hetzner/start.js';
import { DigitalOceanDriver } from '#subgraphs/hosting/provider/digitalocean/digitalocean.driver.js';
import type { Driver } from '#subgraphs/hosting/provider/driver.js';
import { HetznerDriver } from '#subgraphs/hosting/provider/hetzner/hetzner.driver.js';

import { digitalOceanApi, hetznerApi, type VendorApi } from '../../support/vendor-api.js';

/** A provider, as its driver and its stand-in are tried. */
export interface Kind {
  id: string;
  start: (options: CloudSandboxOptions) => Promise<CloudSandbox>;
  driver: (base: string, timeoutMs?: number) => Driver;
  describedBy: () => VendorApi | undefined;
  file: string;
  /** Orderable, and the same where it is sold out. */
  size: string;
  location: string;
  soldOut: { location: string; size: string };
  currency: string;
  price: { priceHourly: number; priceMonthly: number };
  /** Of its address, where that is paid for apart. */
  address: { priceHourly: number; priceMonthly: number } | undefined;
  zone: string;
  isNameUnique: boolean;
  /** Of which a token is made, where they can be chosen. */
  scopes: readonly string[];
  /** More than a page of a list has. */
  many: number;
  /** How the provider says what went wrong. */
  says: Record<'QUOTA' | 'BUSY' | 'RATE_LIMITED' | 'REFUSED', { code: string; message: string }>;
}

export const kinds: readonly Kind[] = [
  {
    id: 'hetzner',
    start: startHetznerSandbox,
    driver: (base, timeoutMs = 10_000) => new HetznerDriver({ base, timeoutMs }, true),
    describedBy: hetznerApi,
    file: 'hetzner-cloud.openapi.json',
    size: 'cx22',
    location: 'fsn1',
    soldOut: { size: 'ccx13', location: 'fsn1' },
    currency: 'EUR',
    price: { priceHourly: 0.006, priceMonthly: 3.79 },
    address: { priceHourly: 0.0008, priceMonthly: 0.5 },
    zone: 'eu-central',
    isNameUnique: true,
    scopes: [],
    many: 51,
    says: {
      QUOTA: { code: 'resource_limit_exceeded', message: 'server limit exceeded' },
      BUSY: { code: 'conflict', message: 'the resource was changed' },
      RATE_LIMITED: { code: 'rate_limit_exceeded', message: 'limit reached' },
      REFUSED: { code: 'invalid_input', message: 'invalid input' },
    },
  },
  {
    id: 'digitalocean',
    start: startDigitalOceanSandbox,
    driver: (base, timeoutMs = 10_000) => new DigitalOceanDriver({ base, timeoutMs }, true),
    describedBy: digitalOceanApi,
    file: 'digitalocean.openapi.tar.gz',
    size: 's-2vcpu-4gb',
    location: 'nyc3',
    soldOut: { size: 's-2vcpu-4gb', location: 'nyc2' },
    currency: 'USD',
    price: { priceHourly: 0.03571, priceMonthly: 24 },
    address: undefined,
    zone: 'nyc',
    isNameUnique: false,
    scopes: [
      'actions:read',
      'droplet:create',
      'droplet:delete',
      'droplet:read',
      'ssh_key:read',
      'tag:create',
      'tag:delete',
    ],
    many: 201,
    says: {
      QUOTA: {
        code: 'unprocessable_entity',
        message: 'creating this/these droplet(s) will exceed your droplet limit',
      },
      BUSY: { code: 'unprocessable_entity', message: 'Droplet already has a pending event.' },
      RATE_LIMITED: { code: 'too_many_requests', message: 'API Rate limit exceeded.' },
      REFUSED: { code: 'unprocessable_entity', message: 'You specified an invalid image.' },
    },
  },
];
