import { expect } from 'vitest';

import type { CloudSandbox } from '#sandbox/cloud/start.js';

import type { Tenant } from '../../support/world.js';
import { provision, type HostingPanel } from './hosting-panel.js';

/** A wish for a droplet that becomes no node. */
export const droplet = {
  provider: 'digitalocean',
  region: 'nyc3',
  size: 's-2vcpu-4gb',
  installCloudOs: false,
};

export const minutes = (count: number) => count * 60_000;

export const namesAt = (cloud: CloudSandbox, token: string) =>
  cloud
    .servers(token)
    .map(({ name }) => name)
    .toSorted();

/** A droplet as another program of the account would make it. */
export async function makeDroplet(
  panel: HostingPanel,
  token: string,
  name: string,
  tags: readonly string[],
): Promise<void> {
  const { status } = await fetch(`${panel.digitalocean.url}/droplets`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ name, size: droplet.size, region: droplet.region, image: 'debian-12-x64', tags }),
  });
  expect(status).toBe(202);
}

/** A server's row, also after its tenant's token has ended. */
export async function rowOf<Row extends object>(
  panel: HostingPanel,
  id: string,
  columns: string,
): Promise<Row> {
  const [row] = await panel.sql<Row>(`select ${columns} from hosting.server where id = $1`, [id]);
  return row!;
}

export async function asked(tenant: Tenant, input: Record<string, unknown>): Promise<string> {
  const { data, errors } = await provision(tenant, input);
  expect(errors).toBeUndefined();
  return data!.provisionServer.id;
}
