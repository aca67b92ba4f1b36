import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

import {
  decommission,
  hostingTenant,
  places,
  reaches,
  serverIn,
  startHostingPanel,
  type HostingPanel,
} from './support/hosting-panel.js';

// Steps follow each other through the queue, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 300_000 });

let panel: HostingPanel;
beforeAll(async () => {
  panel = await startHostingPanel();
});
afterAll(async () => panel.stop());

describe.each(places)('at $provider', ({ provider, region, size }) => {
  test('what people attached to a server stays when it is deleted, and they are told of it', async () => {
    const { tenant, token } = await hostingTenant(panel, 'PRO', provider);
    const { id } = await serverIn(
      panel,
      tenant,
      { provider, region, size, name: 'rich-01', installCloudOs: false },
      'READY',
    );
    panel[provider].attach(token, 'rich-01', { kind: 'volume', name: 'data-1' });
    panel[provider].attach(token, 'rich-01', { kind: 'address', name: '192.0.2.7' });
    expect((await decommission(tenant, id)).errors).toBeUndefined();
    await reaches(panel, tenant, id, 'DELETED');
    const { data, errors } = await tenant.graphql<{ server: Record<string, unknown> }>(
      'query($id: ID!) { server(id: $id) { status reason message leftovers { kind providerId name } } }',
      { id },
    );
    expect(errors).toBeUndefined();
    const isId = expect.stringMatching(/^\d+$/) as unknown as string;
    expect(data?.server).toEqual({
      status: 'DELETED',
      reason: 'LEFTOVERS',
      message:
        'What was attached to it is at the provider still, and goes on costing: volume data-1, address 192.0.2.7',
      leftovers: [
        { kind: 'VOLUME', providerId: isId, name: 'data-1' },
        { kind: 'ADDRESS', providerId: isId, name: '192.0.2.7' },
      ],
    });
    expect((await tenant.rest(`/api/hosting/servers/${id}`)).body).toMatchObject({ status: 'deleted' });
  });
});
