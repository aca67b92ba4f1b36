import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf } from '../../support/answers.js';
import { Live } from '../../support/live.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import type { Tenant } from '../../support/world.js';
import { firing, impatient, soon } from './support/panel.js';

const query = `subscription($severity: AlertSeverity, $instanceId: ID) {
  alertChanged(severity: $severity, instanceId: $instanceId) { rule status instance { name tenant { name } } }
}`;
const changes = (live: Live) =>
  live.results.map(({ data }) => (data as { alertChanged: unknown }).alertChanged);

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

test("each step of an alert is an event that carries its instance, and identity's name of the tenant", async () => {
  const tenant = await panel.world.tenant('Acme');
  await using live = new Live(panel.panel.url, tenant.token, query);
  await live.opened();
  const { alert } = await firing(panel, tenant, 'web-1');
  await live.received(1);
  await tenant.rest(`/api/fleet/alerts/${alert.id}/acknowledge`, { method: 'POST' });
  await live.received(2);
  await tenant.rest(`/api/fleet/alerts/${alert.id}/resolve`, { method: 'POST' });
  await live.received(3);
  const instance = { name: 'web-1', tenant: { name: 'Acme' } };
  expect(changes(live)).toEqual([
    { rule: 'CPU', status: 'FIRING', instance },
    { rule: 'CPU', status: 'ACKNOWLEDGED', instance },
    { rule: 'CPU', status: 'RESOLVED', instance },
  ]);
});

test('a filter by severity and instance leaves out the rest, other tenants all the more', async () => {
  const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
  await impatient(tenant, 'DISK');
  const [watched, beside] = [await tenant.node('watched'), await tenant.node('beside')];
  await using live = new Live(panel.panel.url, tenant.token, query, {
    variables: { severity: 'CRITICAL', instanceId: watched.id },
  });
  await live.opened();
  await firing(panel, other);
  await beside.beat({ disk_percent: 99 });
  await firing(panel, tenant);
  await watched.beat({ disk_percent: 99 });
  await soon(panel, async () => live.results.length === 1, 'the one event');
  expect(changes(live)).toMatchObject([{ rule: 'DISK', status: 'FIRING', instance: { name: 'watched' } }]);
});

test('who comes back with the last cursor gets what was missed', async () => {
  const tenant = await panel.world.tenant();
  const live = new Live(panel.panel.url, tenant.token, query);
  await live.opened();
  const { alert } = await firing(panel, tenant, 'first');
  await live.received(1);
  await live.close();
  await tenant.rest(`/api/fleet/alerts/${alert.id}/resolve`, { method: 'POST' });
  await firing(panel, tenant, 'second');
  await using back = new Live(panel.panel.url, tenant.token, query, { after: live.lastCursor });
  await back.received(2);
  expect(changes(back)).toMatchObject([
    { status: 'RESOLVED', instance: { name: 'first' } },
    { status: 'FIRING', instance: { name: 'second' } },
  ]);
});

test('a silence that somebody makes or ends is an event, once each, and to no other tenant', async () => {
  const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
  const silences = 'subscription { silenceChanged { id comment state } }';
  await using live = new Live(panel.panel.url, tenant.token, silences);
  await using foreign = new Live(panel.panel.url, other.token, silences);
  await Promise.all([live.opened(), foreign.opened()]);
  const silence = async (who: Tenant, comment: string) => {
    const input = {
      matchers: [{ field: 'RULE', operator: 'EQUALS', value: 'CPU' }],
      endsAt: new Date(panel.clock.now().getTime() + 3_600_000).toISOString(),
      comment,
    };
    const made = await who.graphql<{ createSilence: { id: string } }>(
      'mutation($input: CreateSilenceInput!) { createSilence(input: $input) { id } }',
      { input },
    );
    return dataOf(made).createSilence.id;
  };
  const id = await silence(tenant, 'moving house');
  await live.received(1);
  const expire = 'mutation($id: ID!) { expireSilence(id: $id) { id } }';
  for (const _again of [1, 2]) dataOf(await tenant.graphql(expire, { id }));
  await live.received(2);
  const theirs = await silence(other, 'of the other');
  await foreign.received(1);
  const [mine, ofOthers] = [live, foreign].map(({ results }) => results.map(({ data }) => data));
  expect([mine, ofOthers]).toEqual([
    [
      { silenceChanged: { id, comment: 'moving house', state: 'ACTIVE' } },
      { silenceChanged: { id, comment: 'moving house', state: 'EXPIRED' } },
    ],
    [{ silenceChanged: { id: theirs, comment: 'of the other', state: 'ACTIVE' } }],
  ]);
});
