import { afterAll, beforeAll, expect, test } from 'vitest';

import { create } from '../governance/support/tenant.js';
import { until } from '../support/world.js';
import {
  decommission,
  hostingTenant,
  places,
  placesKept,
  provision,
  reaches,
  serverIn,
  startHostingPanel,
  type HostingPanel,
} from './support/hosting-panel.js';

let panel: HostingPanel;
beforeAll(async () => {
  panel = await startHostingPanel({ mode: 'split' });
}, 120_000);
afterAll(async () => panel.stop());

const timeout = 300_000;

test(
  'with every area in a process of its own a server becomes a node, and goes again',
  { timeout },
  async () => {
    const { provider, region, size } = places[1]!;
    const { tenant, token } = await hostingTenant(panel, 'PRO', provider);
    const { id } = await serverIn(panel, tenant, { provider, region, size, name: 'apart-01' }, 'READY');
    const joined = await tenant.graphql<{ server: unknown }>(
      'query($id: ID!) { server(id: $id) { instance { name status score licence { plan } server { id } } } }',
      { id },
    );
    expect(joined.errors).toBeUndefined();
    expect(joined.data?.server).toMatchObject({
      instance: { name: 'apart-01', status: 'HEALTHY', licence: { plan: 'PRO' }, server: { id } },
    });
    expect((await decommission(tenant, id)).errors).toBeUndefined();
    await reaches(panel, tenant, id, 'DELETED');
    expect(panel[provider].servers(token)).toEqual([]);
    expect((await tenant.rest<unknown[]>('/api/fleet/instances')).body).toEqual([]);
  },
);

test('when policies can not be asked, only those wait who have mandatory ones', { timeout }, async () => {
  const [bound, free] = [await hostingTenant(panel), await hostingTenant(panel)];
  await create(bound.tenant, {
    name: 'Backups',
    enforcement: 'MANDATORY',
    rule: { condition: 'backup.enabled', operator: 'equals', value: true },
  });
  await until(async () => {
    const rows = await panel.sql(
      'select 1 from hosting.mandatory_policies where tenant_id = $1 and count = 1',
      [bound.tenant.id],
    );
    return rows.length === 1;
  }, 'hosting to know of the policy');
  await panel.panel.subgraphs!.governance.stop();
  const body = {
    provider: 'hetzner',
    region: 'fsn1',
    size: 'cx22',
    name: 'asked-01',
    install_cloud_os: true,
  };
  const refused = await bound.tenant.rest('/api/hosting/servers', { body });
  expect([refused.status, refused.body]).toEqual([
    503,
    { error: 'Whether policies let this be done cannot be asked just now' },
  ]);
  expect(await placesKept(panel, bound.tenant.id)).toBe(0);
  expect((await provision(free.tenant, { name: 'free-01' })).errors).toBeUndefined();
});
