import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { tokenInRole } from '../../support/roles.js';
import type { Tenant } from '../../support/world.js';
import { alertsOf, firing, soon, updateRule, type RestAlert } from './support/panel.js';
import { subscribe, WebhookReceiver } from './support/webhook.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel({ ALLOW_PRIVATE_TARGETS: '127.0.0.1' });
});
afterAll(async () => panel.stop());

const create = `mutation($input: CreateSilenceInput!) {
  createSilence(input: $input) { id state comment createdBy matchers { field operator value } }
}`;
const expire = 'mutation($id: ID!) { expireSilence(id: $id) { id state } }';
const inSeconds = (seconds: number) => new Date(panel.clock.now().getTime() + seconds * 1000).toISOString();

async function silence(tenant: Tenant, matchers: object[], seconds = 3_600): Promise<string> {
  const input = { matchers, endsAt: inSeconds(seconds), comment: 'maintenance' };
  const answer = await tenant.graphql<{ createSilence: { id: string } }>(create, { input });
  return dataOf(answer).createSilence.id;
}

const cpu = { field: 'RULE', operator: 'EQUALS', value: 'CPU' };
const silencedBy = async (tenant: Tenant, id: string) => {
  const answer = await tenant.graphql<{ alert: { silencedBy: { id: string }[] } }>(
    'query($id: ID!) { alert(id: $id) { silencedBy { id } } }',
    { id },
  );
  return dataOf(answer).alert.silencedBy.map((one) => one.id);
};
const told = ({ received }: WebhookReceiver) =>
  received.map(({ body }) => `${body.type} ${body.data.alerts.map(({ rule }) => rule).join(' ')}`);

/** Shows that notifications have been looked at since: another alert has arrived. */
async function untilAnother(tenant: Tenant, receiver: WebhookReceiver): Promise<void> {
  const before = receiver.received.length;
  await updateRule(tenant, { kind: 'DISK', forSeconds: 0 });
  await (await tenant.node()).beat({ disk_percent: 99 });
  await soon(panel, async () => receiver.received.length > before, 'another alert');
}

describe('a silence', () => {
  test('keeps channels from being told, not the alert from firing; at its end they are told', async () => {
    await using receiver = await WebhookReceiver.start();
    const tenant = await panel.world.tenant();
    await subscribe(tenant, receiver);
    await updateRule(tenant, { kind: 'OFFLINE', isEnabled: false });
    const id = await silence(tenant, [cpu], 40);
    const { alert } = await firing(panel, tenant);
    await untilAnother(tenant, receiver);
    expect([await silencedBy(tenant, alert.id), told(receiver)]).toEqual([[id], ['alert.firing disk']]);
    await soon(panel, async () => receiver.received.length === 2, 'the end of the silence');
    expect([await silencedBy(tenant, alert.id), told(receiver)]).toEqual([
      [],
      ['alert.firing disk', 'alert.firing cpu'],
    ]);
  });

  test('that is expired by hand lets the alerts through at once, and expiring it again changes nothing', async () => {
    await using receiver = await WebhookReceiver.start();
    const tenant = await panel.world.tenant();
    await subscribe(tenant, receiver);
    const id = await silence(tenant, [cpu]);
    await firing(panel, tenant);
    await untilAnother(tenant, receiver);
    for (let time = 0; time < 2; time += 1) {
      expect(dataOf(await tenant.graphql(expire, { id }))).toEqual({
        expireSilence: { id, state: 'EXPIRED' },
      });
    }
    await soon(panel, async () => receiver.received.length === 2, 'the alert that was silenced');
    expect(told(receiver)).toEqual(['alert.firing disk', 'alert.firing cpu']);
  });

  test('whose alert is over before it ends was never told of at all', async () => {
    await using receiver = await WebhookReceiver.start();
    const tenant = await panel.world.tenant();
    await subscribe(tenant, receiver);
    const id = await silence(tenant, [cpu]);
    const { alert } = await firing(panel, tenant);
    await tenant.rest(`/api/fleet/alerts/${alert.id}/resolve`, { method: 'POST' });
    await tenant.graphql(expire, { id });
    await untilAnother(tenant, receiver);
    expect(told(receiver)).toEqual(['alert.firing disk']);
  });

  let web: Promise<{ tenant: Tenant; alert: RestAlert }> | undefined;
  const webAlert = async () => {
    const tenant = await panel.world.tenant();
    return { tenant, alert: (await firing(panel, tenant, 'web-7-east')).alert };
  };

  test.for([
    [[{ field: 'INSTANCE_NAME', operator: 'MATCHES', value: 'WEB-*' }], true],
    [[{ field: 'INSTANCE_NAME', operator: 'MATCHES', value: '*b-*-east' }], true],
    [[{ field: 'INSTANCE_NAME', operator: 'MATCHES', value: 'web' }], false],
    [[{ field: 'INSTANCE_NAME', operator: 'MATCHES', value: 'web-7-east*7-east' }], false],
    [[{ field: 'INSTANCE_NAME', operator: 'NOT_MATCHES', value: 'db-*' }], true],
    [[{ field: 'INSTANCE_NAME', operator: 'NOT_MATCHES', value: 'WEB-*' }], false],
    [[{ field: 'RULE', operator: 'NOT_MATCHES', value: '*disk*' }], true],
    [[{ field: 'TAG', operator: 'NOT_MATCHES', value: 'prod*' }], true],
    [[{ field: 'SEVERITY', operator: 'NOT_EQUALS', value: 'critical' }], true],
    [[{ field: 'SEVERITY', operator: 'EQUALS', value: 'critical' }], false],
    [[cpu, { field: 'INSTANCE_NAME', operator: 'EQUALS', value: 'other' }], false],
    [[{ field: 'TAG', operator: 'NOT_EQUALS', value: 'prod' }], true],
    [[{ field: 'TAG', operator: 'EQUALS', value: 'prod' }], false],
    [[{ field: 'COMPONENT', operator: 'EQUALS', value: '' }], true],
  ] as const)('%j is about the CPU of web-7-east: %s', async ([matchers, isAbout]) => {
    const { tenant, alert } = await (web ??= webAlert());
    const id = await silence(tenant, [...matchers]);
    expect((await silencedBy(tenant, alert.id)).includes(id)).toBe(isAbout);
  });

  test('is listed with its author, its comment and its state', async () => {
    const tenant = await panel.world.tenant();
    const input = { matchers: [cpu], endsAt: inSeconds(60), comment: ' moving racks ' };
    const made = await tenant.graphql<{ createSilence: { id: string } }>(create, { input });
    dataOf(await tenant.graphql(create, { input: { ...input, startsAt: inSeconds(30) } }));
    const list = async (state?: string) => {
      const answer = await tenant.graphql<{ silences: { nodes: object[]; totalCount: number } }>(
        `query($state: SilenceState) { silences(filter: { state: $state }) { totalCount
          nodes { state comment createdBy matchers { field operator value } } } }`,
        { state },
      );
      return dataOf(answer).silences;
    };
    const one = { comment: 'moving racks', createdBy: tenant.user.id, matchers: [cpu] };
    expect(await list()).toEqual({
      totalCount: 2,
      nodes: [
        { ...one, state: 'PENDING' },
        { ...one, state: 'ACTIVE' },
      ],
    });
    expect((await list('ACTIVE')).nodes).toEqual([{ ...one, state: 'ACTIVE' }]);
    const { id } = dataOf(made).createSilence;
    const byId = await tenant.graphql('query ($id: ID!) { silence(id: $id) { state comment } }', { id });
    expect(dataOf(byId)).toEqual({ silence: { state: 'ACTIVE', comment: 'moving racks' } });
    await panel.clock.advance(60_000);
    expect((await list('EXPIRED')).totalCount).toBe(2);
  });

  test('is refused without matchers, without a reason, and with a window that is over', async () => {
    const tenant = await panel.world.tenant();
    const refuse = async (input: object) => refusal(await tenant.graphql(create, { input }));
    expect(await refuse({ matchers: [], endsAt: inSeconds(-1), comment: ' ' })).toEqual({
      code: 'VALIDATION_FAILED',
      details: {
        'input.matchers': 'At least one matcher is required',
        'input.endsAt': 'Ends at must be in the future',
        'input.comment': 'Comment is required',
      },
    });
    const backwards = { matchers: [cpu], startsAt: inSeconds(60), endsAt: inSeconds(60), comment: 'x' };
    expect(await refuse(backwards)).toEqual({
      code: 'VALIDATION_FAILED',
      details: { 'input.endsAt': 'Ends at must be after starts at' },
    });
    expect(
      await refuse({ matchers: [{ ...cpu, value: 'cpuu' }], endsAt: inSeconds(60), comment: 'x' }),
    ).toMatchObject({ details: { 'input.matchers.0.value': expect.stringContaining('must be one of') } });
  });

  test('belongs to its tenant, and viewers make none', async () => {
    const [mine, other] = [await panel.world.tenant(), await panel.world.tenant()];
    const id = await silence(mine, [cpu]);
    expect(refusal(await other.graphql(expire, { id }))).toEqual({ code: 'NOT_FOUND' });
    const { alert } = await firing(panel, other);
    expect(await silencedBy(other, alert.id)).toEqual([]);
    const token = await tokenInRole(panel, mine, 'VIEWER');
    expect(refusal(await panel.world.graphql(expire, { id }, token))).toMatchObject({ code: 'FORBIDDEN' });
    const input = { matchers: [cpu], endsAt: inSeconds(60), comment: 'x' };
    expect(refusal(await panel.world.graphql(create, { input }, token))).toMatchObject({ code: 'FORBIDDEN' });
  });
});

describe('an outage', () => {
  test("speaks for its node's other alerts; those that still fire when it is over are told then", async () => {
    await using receiver = await WebhookReceiver.start();
    const tenant = await panel.world.tenant();
    await subscribe(tenant, receiver);
    const id = await silence(tenant, [cpu]);
    const { node, alert } = await firing(panel, tenant);
    await soon(panel, async () => receiver.received.length === 1, 'the outage', 150);
    dataOf(await tenant.graphql(expire, { id }));
    const inhibitor = async () => {
      const answer = await tenant.graphql<{ alert: { inhibitedBy: { rule: string } | null } }>(
        'query($id: ID!) { alert(id: $id) { inhibitedBy { rule } } }',
        { id: alert.id },
      );
      return dataOf(answer).alert.inhibitedBy;
    };
    expect(await inhibitor()).toEqual({ rule: 'OFFLINE' });
    await untilAnother(tenant, receiver);
    expect(told(receiver)).toEqual(['alert.firing offline', 'alert.firing disk']);

    await node.beat({ cpu_percent: 97 });
    await soon(
      panel,
      async () => receiver.received.some(({ body }) => body.data.alerts.some(({ rule }) => rule === 'cpu')),
      'the alert of the node that is back',
      120,
    );
    expect(await inhibitor()).toBeNull();
    expect((await alertsOf(tenant)).find((one) => one.id === alert.id)?.status).toBe('firing');
  });
});
