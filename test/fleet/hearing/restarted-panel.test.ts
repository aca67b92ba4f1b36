import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf } from '../../support/answers.js';
import { modes, startTestPanel, type TestPanel } from '../../support/panel.js';
import { Node, until, World, type Tenant } from '../../support/world.js';
import { alertsOf } from '../alerts/support/panel.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

/** The same tenant and node, at another process. */
function at(url: string, tenant: Tenant, node: Node) {
  const world = new World(url, panel.clock);
  return {
    rest: async (path: string) => world.rest(path, { token: tenant.token }),
    graphql: async (query: string) => world.graphql<Record<string, unknown>>(query, {}, tenant.token),
    node: new Node(world, node.name, node.id, node.credential),
    alerts: async () => world.rest('/api/fleet/alerts', { token: tenant.token }),
  };
}

test('after a restart every view has the nodes as they were, until one deadline later', async () => {
  const tenant = await panel.world.tenant();
  const [silent, gone] = [await tenant.node(), await tenant.node()];
  await gone.beat();
  await panel.clock.advance(60_000);
  await silent.beat();
  await panel.clock.advance(31_000);
  const group = `mutation { createInstanceGroup(input: { name: "Away", kind: LIVE, filter: { status: OFFLINE } }) { id } }`;
  dataOf(await tenant.graphql(group));
  const isAnnounced = async () => {
    await panel.clock.advance(1_000);
    const rows = await panel.sql('select announced_status as status from fleet.instance where id = $1', [
      gone.id,
    ]);
    return rows[0]!['status'] === 'OFFLINE' && (await alertsOf(tenant)).length > 0;
  };
  await until(isAnnounced, 'the end of the first node to be told');

  await panel.panel.stop();
  await panel.clock.leap(5 * 60_000);
  const again = at((await panel.another()).url, tenant, silent);
  const views = async () => {
    const list = (await again.rest('/api/fleet/instances')).body as unknown as {
      id: string;
      status: string;
    }[];
    const health = (await again.rest('/api/fleet/health')).body as unknown as { status: string }[];
    const summary = (await again.rest('/api/fleet/summary')).body;
    const offline = (await again.rest('/api/fleet/instances?status=offline')).body as unknown as {
      id: string;
    }[];
    const groups = dataOf(await again.graphql('{ instanceGroups { nodes { instances { nodes { id } } } } }'));
    return {
      list: list.map(({ status }) => status),
      health: health.map(({ status }) => status),
      summary: [summary['healthy'], summary['offline']],
      offline: offline.map(({ id }) => id),
      group: groups,
      alerts: ((await again.alerts()).body as unknown as { instance_id: string }[]).map(
        (alert) => alert.instance_id,
      ),
    };
  };
  const members = (...nodes: Node[]) => ({
    instanceGroups: { nodes: [{ instances: { nodes: nodes.map(({ id }) => ({ id })) } }] },
  });
  const spared = {
    list: ['healthy', 'offline'],
    health: ['healthy', 'offline'],
    summary: [1, 1],
    offline: [gone.id],
    group: members(gone),
    alerts: [gone.id],
  };
  expect(await views(), 'at once').toEqual(spared);
  await panel.clock.advance(89_000);
  expect(await views(), 'a second before').toEqual(spared);
  await panel.clock.advance(1_000);
  expect({ ...(await views()), alerts: [] }, 'one deadline later').toEqual({
    list: ['offline', 'offline'],
    health: ['offline', 'offline'],
    summary: [0, 2],
    offline: [silent.id, gone.id],
    group: members(silent, gone),
    alerts: [],
  });
});

test.for(modes)('a node that beats on does not hear of a restart, %s', async (mode) => {
  await using started = await startTestPanel({}, mode);
  const tenant = await started.world.tenant();
  const node = await tenant.node();
  await node.beat();
  await started.clock.advance(90_000);
  expect((await tenant.rest('/api/fleet/health')).body).toMatchObject([{ status: 'offline' }]);
  await node.beat();
  await started.clock.leap(5 * 60_000);
  expect((await tenant.rest('/api/fleet/health')).body).toMatchObject([{ status: 'healthy' }]);
  await node.beat();
  const rows = await started.sql(
    `select payload ->> 'to' as to from fleet.outbox
     where entity_id = $1 and topic = 'fleet.instance.changed' order by xid, id`,
    [node.id],
  );
  expect(rows.map(({ to }) => to)).toEqual(['HEALTHY', 'OFFLINE', 'HEALTHY']);
});
