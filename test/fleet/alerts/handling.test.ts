import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { call } from '../../support/http.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { tokenInRole } from '../../support/roles.js';
import { alertsOf, firing, impatient, soon, updateRule, type RestAlert } from './support/panel.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const acknowledge = 'mutation($id: ID!) { acknowledgeAlert(id: $id) { status acknowledgedBy } }';
const resolve = 'mutation($id: ID!) { resolveAlert(id: $id) { status resolution resolvedBy } }';
const isTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);

describe('the list', () => {
  test('over REST has the fields of the contract, the active alerts by default', async () => {
    const tenant = await panel.world.tenant();
    const { node } = await firing(panel, tenant, 'web-1');
    expect(await alertsOf(tenant)).toEqual([
      {
        id: expect.stringMatching(/^alr_[0-9a-z]{26}$/),
        instance_id: node.id,
        instance_name: 'web-1',
        rule: 'cpu',
        severity: 'warning',
        status: 'firing',
        message: 'The CPU is at 97.3 %, the limit is 90 %',
        value: 97.3,
        threshold: 90,
        count: 1,
        started_at: isTime,
        updated_at: isTime,
        acknowledged_by: null,
      },
    ]);
  });

  test('is narrowed by status and severity, and pages newest first', async () => {
    const tenant = await panel.world.tenant();
    await impatient(tenant, 'MEMORY', 'DISK');
    const { node, alert } = await firing(panel, tenant);
    await panel.clock.advance(1_000);
    await node.beat({ cpu_percent: 97, memory_percent: 95, disk_percent: 95 });
    await soon(panel, async () => (await alertsOf(tenant)).length === 3, 'three alerts');
    await tenant.rest(`/api/fleet/alerts/${alert.id}/acknowledge`, { method: 'POST' });
    const rules = async (query: string) => (await alertsOf(tenant, query)).map(({ rule }) => rule).toSorted();
    expect(await rules('?status=acknowledged')).toEqual(['cpu']);
    expect(await rules('?severity=critical')).toEqual(['disk']);
    expect(await rules('?status=resolved')).toEqual([]);
    const first = await tenant.rest<RestAlert[]>('/api/fleet/alerts?limit=2');
    expect(first.headers.get('x-total-count')).toBe('3');
    const next = /<([^>]+)>/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    const second = await call<RestAlert[]>(
      new URL(next, panel.panel.url).href.replace(/^.*?\/api/, `${panel.panel.url}/api`),
      {
        token: tenant.token,
      },
    );
    expect([...first.body, ...second.body].map(({ id }) => id)).toEqual(
      (await alertsOf(tenant)).map(({ id }) => id),
    );
    expect(second.body.map(({ id }) => id)).toEqual([alert.id]);
    expect((await tenant.rest('/api/fleet/alerts?status=loud')).status).toBe(400);
  });

  test('is of any statuses at once, and of what changed since a time, for whoever was away', async () => {
    const tenant = await panel.world.tenant();
    const { node, alert: over } = await firing(panel, tenant);
    await tenant.rest(`/api/fleet/alerts/${over.id}/resolve`, { method: 'POST' });
    await panel.clock.advance(60_000);
    const updatedSince = panel.clock.now().toISOString();
    await impatient(tenant, 'DISK');
    await node.beat({ disk_percent: 95 });
    await soon(panel, async () => (await alertsOf(tenant)).length === 1, 'the other alert');
    const rules = async (filter: object) => {
      const answer = await tenant.graphql<{ alerts: { nodes: { rule: string }[]; totalCount: number } }>(
        'query ($filter: AlertFilter) { alerts(filter: $filter) { nodes { rule } totalCount } }',
        { filter },
      );
      const { nodes, totalCount } = dataOf(answer).alerts;
      expect(totalCount).toBe(nodes.length);
      return nodes.map(({ rule }) => rule);
    };
    expect([
      await rules({ statuses: [] }),
      await rules({ statuses: ['FIRING', 'ACKNOWLEDGED'] }),
      await rules({ statuses: ['RESOLVED', 'ACKNOWLEDGED'] }),
      await rules({ statuses: [], updatedSince }),
      await rules({ statuses: [], instanceId: 'inst_none' }),
      await rules({}),
    ]).toEqual([['DISK', 'CPU'], ['DISK'], ['CPU'], ['DISK'], [], ['DISK']]);
    const taken = await tenant.graphql(
      'mutation ($input: AcknowledgeAlertsInput!) { acknowledgeAlerts(input: $input) { alerts { rule } } }',
      { input: { filter: { statuses: ['ACKNOWLEDGED'] } } },
    );
    expect(dataOf(taken)).toEqual({ acknowledgeAlerts: { alerts: [] } });
  });

  test('gives any field of the instance, and the instance its active alerts', async () => {
    const tenant = await panel.world.tenant('Acme');
    const { node, alert } = await firing(panel, tenant, 'web-2');
    const answer = await tenant.graphql(
      `query($id: ID!) { alert(id: $id) { fingerprint component inhibitedBy { id } lastSeen clearSince
        instance { hostname tenant { name } activeAlerts { id } activeAlertCount } } }`,
      { id: alert.id },
    );
    expect(dataOf(answer)).toEqual({
      alert: {
        fingerprint: `cpu/${node.id}`,
        component: null,
        inhibitedBy: null,
        lastSeen: expect.any(String),
        clearSince: null,
        instance: {
          hostname: 'web-2.example.com',
          tenant: { name: 'Acme' },
          activeAlerts: [{ id: alert.id }],
          activeAlertCount: 1,
        },
      },
    });
  });
});

describe('an acknowledgement', () => {
  test('names who gave it, and giving it again changes nothing', async () => {
    const tenant = await panel.world.tenant();
    const { alert } = await firing(panel, tenant);
    const answer = await tenant.rest<RestAlert>(`/api/fleet/alerts/${alert.id}/acknowledge`, {
      method: 'POST',
    });
    expect([answer.status, answer.body]).toEqual([
      200,
      { ...alert, status: 'acknowledged', updated_at: isTime, acknowledged_by: tenant.user.id },
    ]);
    const again = await tenant.rest<RestAlert>(`/api/fleet/alerts/${alert.id}/acknowledge`, {
      method: 'POST',
    });
    expect([again.status, again.body]).toEqual([200, answer.body]);
    const events = await panel.sql(
      `select payload->>'to' as to from fleet.outbox where tenant_id = $1 and topic = 'fleet.alert.changed' order by xid, id`,
      [tenant.id],
    );
    expect(events).toEqual([{ to: 'FIRING' }, { to: 'ACKNOWLEDGED' }]);
  });

  test('is refused while the alert is pending and after it was resolved', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    await node.beat({ cpu_percent: 99 });
    await soon(
      panel,
      async () => (await alertsOf(tenant, '?status=pending')).length === 1,
      'a pending alert',
    );
    const [pending] = await alertsOf(tenant, '?status=pending');
    expect(refusal(await tenant.graphql(acknowledge, { id: pending?.id }))).toEqual({
      code: 'CONFLICT',
      reason: 'ALERT_PENDING',
    });
    expect(refusal(await tenant.graphql(resolve, { id: pending?.id }))).toEqual({
      code: 'CONFLICT',
      reason: 'ALERT_PENDING',
    });
    const { alert } = await firing(panel, tenant);
    await tenant.graphql(resolve, { id: alert.id });
    const answer = await tenant.rest(`/api/fleet/alerts/${alert.id}/acknowledge`, { method: 'POST' });
    expect([answer.status, answer.body]).toEqual([409, { error: 'The alert is resolved' }]);
  });
});

describe('resolving by hand', () => {
  test('ends the alert; the same beat raises no other, the next one does', async () => {
    const tenant = await panel.world.tenant();
    const { node, alert } = await firing(panel, tenant);
    expect(dataOf(await tenant.graphql(resolve, { id: alert.id }))).toEqual({
      resolveAlert: { status: 'RESOLVED', resolution: 'BY_HAND', resolvedBy: tenant.user.id },
    });
    const again = await tenant.rest<RestAlert>(`/api/fleet/alerts/${alert.id}/resolve`, { method: 'POST' });
    expect([again.status, again.body.status]).toEqual([200, 'resolved']);
    // Another node's alert shows that the evaluation has been at work since.
    await firing(panel, tenant);
    expect((await alertsOf(tenant)).filter(({ instance_id }) => instance_id === node.id)).toEqual([]);
    await node.beat({ cpu_percent: 97 });
    const isBack = async () => (await alertsOf(tenant)).some(({ instance_id }) => instance_id === node.id);
    await soon(panel, isBack, 'a new alert');
  });
});

describe('who may', () => {
  test("another tenant's alert is not found, for reading, acknowledging and resolving", async () => {
    const [mine, other] = [await panel.world.tenant(), await panel.world.tenant()];
    const { alert } = await firing(panel, mine);
    const answers = await Promise.all([
      other.graphql('query($id: ID!) { alert(id: $id) { id } }', { id: alert.id }),
      other.graphql(acknowledge, { id: alert.id }),
      other.graphql(resolve, { id: alert.id }),
    ]);
    expect(answers.map(refusal)).toEqual(Array(3).fill({ code: 'NOT_FOUND' }));
    expect([await alertsOf(other), await alertsOf(mine)]).toEqual([[], [alert]]);
  });

  test('viewers see alerts and change nothing', async () => {
    const tenant = await panel.world.tenant();
    const { node, alert } = await firing(panel, tenant);
    const token = await tokenInRole(panel, tenant, 'VIEWER');
    const listed = await panel.world.rest<RestAlert[]>('/api/fleet/alerts', { token });
    expect(listed.body.map(({ id }) => id)).toEqual([alert.id]);
    const statuses = await Promise.all([
      ...['acknowledge', 'resolve'].map((verb) =>
        panel.world.rest(`/api/fleet/alerts/${alert.id}/${verb}`, { token, method: 'POST' }),
      ),
      panel.world.rest('/api/fleet/alerts', { token: node.credential }),
      panel.world.rest('/api/fleet/alerts'),
    ]);
    expect(statuses.map(({ status }) => status)).toEqual([403, 403, 403, 401]);
    const updated = await panel.world.graphql(
      'mutation { updateAlertRule(input: { kind: CPU, threshold: 1 }) { kind } }',
      {},
      token,
    );
    expect(refusal(updated)).toMatchObject({ code: 'FORBIDDEN' });
  });
});

describe('rules', () => {
  const query =
    '{ alertRules { kind isEnabled severity threshold forSeconds keepFiringForSeconds updatedBy } }';
  const cpu = (more: object) => ({
    kind: 'CPU',
    isEnabled: true,
    severity: 'WARNING',
    threshold: 90,
    forSeconds: 60,
    keepFiringForSeconds: 300,
    updatedBy: null,
    ...more,
  });

  test('are there without having been set, change in part, and go back to the defaults', async () => {
    const tenant = await panel.world.tenant();
    const rules = async () =>
      dataOf(await tenant.graphql<{ alertRules: { kind: string }[] }>(query)).alertRules;
    const before = await rules();
    expect(before.map(({ kind }) => kind)).toEqual([
      'OFFLINE',
      'CPU',
      'MEMORY',
      'DISK',
      'COMPONENT_UNHEALTHY',
      'COMMAND_FAILED',
      'DUPLICATE_IDENTITY',
      'POLICY_VIOLATION',
    ]);
    expect(before[1]).toEqual(cpu({}));
    await updateRule(tenant, { kind: 'CPU', threshold: 75.5, forSeconds: 0 });
    await updateRule(tenant, { kind: 'CPU', severity: 'CRITICAL', isEnabled: false });
    expect((await rules())[1]).toEqual(
      cpu({
        threshold: 75.5,
        forSeconds: 0,
        severity: 'CRITICAL',
        isEnabled: false,
        updatedBy: tenant.user.id,
      }),
    );
    for (let time = 0; time < 2; time += 1) {
      dataOf(await tenant.graphql('mutation { resetAlertRule(kind: CPU) { threshold } }'));
      expect(await rules()).toEqual(before);
    }
  });

  test('refuse limits that make no sense', async () => {
    const tenant = await panel.world.tenant();
    const update = async (input: object) =>
      refusal(
        await tenant.graphql(
          'mutation($input: UpdateAlertRuleInput!) { updateAlertRule(input: $input) { kind } }',
          {
            input,
          },
        ),
      );
    expect(await update({ kind: 'CPU', threshold: 0, forSeconds: -1, keepFiringForSeconds: 86_401 })).toEqual(
      {
        code: 'VALIDATION_FAILED',
        details: {
          'input.threshold': 'Threshold must be above 0',
          'input.forSeconds': 'For seconds must be from 0 to 86400',
          'input.keepFiringForSeconds': 'Keep firing for seconds must be from 0 to 86400',
        },
      },
    );
    expect(await update({ kind: 'OFFLINE', threshold: 5 })).toEqual({
      code: 'VALIDATION_FAILED',
      details: { 'input.threshold': 'OFFLINE measures nothing' },
    });
  });
});
