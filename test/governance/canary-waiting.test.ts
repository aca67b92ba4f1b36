import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { subscribe, WebhookReceiver } from '../fleet/alerts/support/webhook.js';
import { byAdministrator } from '../hosting/support/kubernetes-panel.js';
import { dataOf } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { toldLate } from '../support/told-late.js';
import { until, type Tenant } from '../support/world.js';
import { drive, isKnown, shown, turn, workers, type Canary, type Worker } from './support/canaries.js';
import { signedIn, useScene } from './support/tenant.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel({ ALLOW_PRIVATE_TARGETS: '127.0.0.1' });
  useScene(panel);
});
afterAll(async () => panel.stop());

const ends = ['succeeded', 'rolled_back', 'failed'];
const half = [{ percent: 50, bake_seconds: 60 }];

interface Paged {
  nodes: { instanceId?: string }[];
  pageInfo: { endCursor: string | null; hasNextPage: boolean };
  totalCount: number;
}

type Behaviour = ConstructorParameters<typeof Worker>[1];

async function scene(count: number, behaviour?: Behaviour): Promise<{ tenant: Tenant; all: Worker[] }> {
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  const all = await workers(tenant, count, behaviour);
  await until(() => isKnown(panel, tenant, count), 'governance to know the nodes');
  return { tenant, all };
}

async function start(tenant: Tenant, version: string, more: Record<string, unknown> = {}): Promise<string> {
  const answer = await tenant.rest<Canary>('/api/governance/canary', {
    body: { name: `To ${version}`, command: 'update', params: { version }, steps: half, ...more },
  });
  expect([answer.status, answer.text]).toEqual([201, expect.any(String)]);
  return answer.body.id;
}

async function isHalted(id: string): Promise<boolean> {
  const [at] = await panel.sql<{ isHalted: boolean }>(
    'select halted_at is not null as "isHalted" from governance.canary where id = $1',
    [id],
  );
  return at!.isHalted;
}

const act = async (tenant: Tenant, id: string, action: string) =>
  tenant.rest<Canary>(`/api/governance/canary/${id}`, { method: 'PUT', body: { action } });

describe('a canary', { timeout: 180_000 }, () => {
  test('of a tenant that is suspended stands still, and has the time before it that it had when that is over', async () => {
    const { tenant, all } = await scene(2);
    const running = await start(tenant, '0.3.4', {
      steps: [{ percent: 50, bake_seconds: 60 }],
      progress_deadline_seconds: 600,
    });
    let begun: { worker: Worker; id: string; lease: string } | undefined;
    await until(async () => {
      for (const worker of all) {
        const { body } = await worker.node.beat({ version: worker.version });
        const [handed] = (body['commands'] ?? []) as { id: string; lease: string }[];
        if (handed) begun = { worker, ...handed };
      }
      return begun !== undefined;
    }, 'the command to be handed out');
    const { worker, id: commandId, lease } = begun!;
    const report = async (result: string) =>
      panel.world.rest(`/api/agent/commands/${commandId}/result`, {
        token: worker.node.credential,
        body: { lease, status: result },
      });
    expect((await report('in_progress')).status).toBe(204);
    await byAdministrator(tenant, 'suspendTenant');
    await until(async () => isHalted(running), 'the canary to stand still');
    await panel.clock.leap(2 * 3_600_000);
    await turn(panel, running, []);
    await byAdministrator(tenant, 'restoreTenant');
    await until(async () => !(await isHalted(running)), 'the canary to go on');
    await turn(panel, running, [], 30_000);
    expect(await shown(await signedIn(tenant), running)).toMatchObject({ status: 'running', reason: null });
    worker.version = '0.3.4';
    await report('success');
    expect(await drive(panel, tenant, running, all, ends)).toMatchObject({ status: 'succeeded' });
    expect(all.map(({ version }) => version)).toEqual(['0.3.4', '0.3.4']);
  });

  test('is as it was when it is heard late that its tenant was suspended and restored before it began', async () => {
    const { tenant, all } = await scene(2);
    const id = await start(tenant, '0.3.5', { steps: [{ percent: 50, bake_seconds: 86_400 }] });
    await drive(panel, tenant, id, all, ['baking']);
    const times = async () =>
      panel.sql('select status, phase_at, bake_until from governance.canary where id = $1', [id]);
    const before = await times();
    const hoursAgo = (hours: number) => new Date(panel.clock.now().getTime() - hours * 3_600_000);
    const told = { tenantId: tenant.id, topic: 'identity.tenant.suspended', occurredAt: hoursAgo(20) };
    await toldLate(panel, 'governance', told);
    expect(await isHalted(id)).toBe(true);
    await toldLate(panel, 'governance', {
      ...told,
      topic: 'identity.tenant.restored',
      occurredAt: hoursAgo(19),
    });
    expect(await isHalted(id)).toBe(false);
    expect(await times()).toEqual(before);
  });

  test('whose step waits is paused once that has passed, and goes on with the next one when somebody resumes it', async () => {
    const { tenant, all } = await scene(4);
    const steps = [{ ...half[0], percent: 25, waits: true }, half[0]];
    const id = await start(tenant, '0.3.7', { steps });
    const paused = await drive(panel, tenant, id, all, [...ends, 'paused']);
    const waiting = { status: 'paused', reason: 'AWAITING_APPROVAL', current_step: 1 };
    expect(paused).toMatchObject({ ...waiting, analysis: { verdict: 'pass' }, instances: { updated: 1 } });
    await turn(panel, id, all);
    expect(await shown(tenant, id)).toMatchObject(waiting);
    const by = await signedIn(tenant);
    const listed = async (status: string[]) =>
      dataOf(
        await by.graphql<{ canaries: { nodes: { id: string; steps: object[] }[]; totalCount: number } }>(
          `query ($filter: CanaryFilter) { canaries(filter: $filter) { nodes { id steps { percent waits } } totalCount } }`,
          { filter: { status } },
        ),
      ).canaries;
    const shownSteps = [
      { percent: 25, waits: true },
      { percent: 50, waits: false },
    ];
    expect(await listed(['PAUSED', 'BAKING'])).toEqual({ nodes: [{ id, steps: shownSteps }], totalCount: 1 });
    expect(await listed(['SUCCEEDED'])).toEqual({ nodes: [], totalCount: 0 });
    expect((await act(by, id, 'resume')).body).toMatchObject({
      status: 'running',
      reason: null,
      current_step: 2,
    });
    expect((await act(by, id, 'resume')).status).toBe(409);
    expect(await drive(panel, by, id, all, [...ends, 'paused'])).toMatchObject({
      status: 'succeeded',
      instances: { updated: 4 },
    });
    // What steps sent that sweeps found due is of the call after which they came. A call that is repeated sends nothing.
    const caused = async (action: string) => {
      const answer = await (
        await signedIn(tenant)
      ).graphql<{
        auditEvents: { nodes: { sameRequest: { nodes: { action: string; target: string | null }[] } }[] };
      }>(
        `{ auditEvents(filter: { action: "${action}" }) { nodes { sameRequest { nodes { action target } } } } }`,
      );
      return dataOf(answer).auditEvents.nodes.map(({ sameRequest }) =>
        sameRequest.nodes.filter(({ target }) => target !== null).map((each) => each.action),
      );
    };
    await expect.poll(async () => caused('createCanary')).toEqual([['sendCommand']]);
    await expect.poll(async () => caused('updateCanary')).toEqual([['sendCommand', 'sendCommand']]);
  });

  test('that waits for somebody or was taken back is told to channels that want to know, once however often it is heard', async () => {
    await using all = await WebhookReceiver.start();
    await using urgent = await WebhookReceiver.start();
    await using others = await WebhookReceiver.start();
    const { tenant, all: nodes } = await scene(2, (version) => ({ fails: version === '0.7.9' }));
    await subscribe(tenant, all);
    await subscribe(tenant, urgent, { minimumSeverity: 'CRITICAL' });
    await subscribe(tenant, others, { tellsCanaries: false });
    const told = ({ received }: WebhookReceiver) =>
      received.map(({ body }) => body).filter(({ type }) => type.startsWith('canary.'));
    const soon = async (isSo: () => boolean, what: string) =>
      until(async () => {
        await panel.clock.advance(2_000);
        return isSo();
      }, what);
    const waiting = await start(tenant, '0.3.8', { steps: [{ ...half[0], waits: true }] });
    await drive(panel, tenant, waiting, nodes, ['paused']);
    await soon(() => told(all).length === 1, 'the channel to be told');
    const { alerts: none, ...about } = told(all)[0]!.data as Record<string, unknown>;
    expect([told(all)[0]!.type, none, about]).toEqual([
      'canary.waiting',
      [],
      {
        tenant_id: tenant.id,
        canary: {
          id: waiting,
          name: 'To 0.3.8',
          status: 'paused',
          step: 1,
          reason: 'AWAITING_APPROVAL',
          message: 'Step 1 has passed: it goes on when somebody says so',
        },
      },
    ]);
    const isHeard = async () =>
      (
        await panel.sql(
          `select 1 from platform.consumer_position p where p.consumer = 'fleet' and p.source = 'governance'
             and not exists (select 1 from governance.outbox o where (o.timeline, o.xid, o.id) > (p.timeline, p.xid, p.id))`,
        )
      ).length > 0;
    await panel.sql(
      `update platform.consumer_position set timeline = 0, xid = '0', id = 0
       where consumer = 'fleet' and source = 'governance'`,
    );
    // Where it stands a consumer asks by its own clock only.
    await until(async () => {
      await panel.clock.advance(2_000);
      return isHeard();
    }, 'all to be heard again');
    const by = await signedIn(tenant);
    expect((await act(by, waiting, 'resume')).status).toBe(200);
    await drive(panel, by, waiting, nodes, ['succeeded']);
    const failing = await start(await signedIn(tenant), '0.7.9');
    await drive(panel, by, failing, nodes, ['rolled_back']);
    await soon(() => told(all).length > 1 && told(urgent).length > 0, 'both to be told');
    expect([all, urgent, others].map((each) => told(each).map(({ type }) => type))).toEqual([
      ['canary.waiting', 'canary.failed'],
      ['canary.failed'],
      [],
    ]);
    const message = urgent.received.find(({ body }) => body.type === 'canary.failed');
    const delivery = await by.graphql(
      `query ($id: ID!) {
         notificationDelivery(id: $id) { type alertIds subjectId canary { id name } gitOpsConfig { id } } }`,
      { id: message?.id },
    );
    expect(dataOf(delivery)).toEqual({
      notificationDelivery: {
        type: 'CANARY_FAILED',
        alertIds: [],
        subjectId: failing,
        canary: { id: failing, name: 'To 0.7.9' },
        gitOpsConfig: null,
      },
    });
  });

  test('shows what it was told when it was made, and its instances by pages, as scores do', async () => {
    const { tenant } = await scene(3);
    const id = await start(tenant, '0.3.8', {
      rollback: { command: 'backup' },
      analysis: { max_rise_percent: 30 },
      max_failures: 2,
      start_at: new Date(panel.clock.now().getTime() + 3_600_000).toISOString(),
    });
    const page = 'pageInfo { endCursor hasNextPage } totalCount';
    const read = async (after: Record<string, string | null> = {}) =>
      dataOf(
        await tenant.graphql<{ canary: { memberPage: Paged }; scores: { instancePage: Paged } }>(
          `query ($id: ID!, $member: String, $score: String) {
            canary(id: $id) { memberPage(first: 2, after: $member, status: WAITING) { nodes { position } ${page} } }
            scores { instancePage(first: 2, after: $score) { nodes { instanceId } ${page} } }
          }`,
          { id, ...after },
        ),
      );
    const first = await read();
    const [members, scores] = [first.canary.memberPage, first.scores.instancePage];
    const next = await read({ member: members.pageInfo.endCursor, score: scores.pageInfo.endCursor });
    expect([members, next.canary.memberPage]).toMatchObject([
      { nodes: [{ position: 0 }, { position: 1 }], pageInfo: { hasNextPage: true }, totalCount: 3 },
      { nodes: [{ position: 2 }], pageInfo: { hasNextPage: false }, totalCount: 3 },
    ]);
    expect([scores, next.scores.instancePage]).toMatchObject([
      { pageInfo: { hasNextPage: true }, totalCount: 3 },
      { pageInfo: { hasNextPage: false }, totalCount: 3 },
    ]);
    const ids = [...scores.nodes, ...next.scores.instancePage.nodes].map(({ instanceId }) => instanceId);
    expect(new Set(ids).size).toBe(3);
    const told = await tenant.graphql(
      `query ($id: ID!) { canary(id: $id) { rollback { command params } settings {
        failureLimit maxFailures intervalSeconds maxRisePercent maxScoreDrop progressDeadlineSeconds ignoresWindows
      } } }`,
      { id },
    );
    expect(dataOf(told)).toEqual({
      canary: {
        rollback: { command: 'BACKUP', params: {} },
        settings: {
          failureLimit: 0,
          maxFailures: 2,
          intervalSeconds: 60,
          maxRisePercent: 30,
          maxScoreDrop: 5,
          progressDeadlineSeconds: 3_600,
          ignoresWindows: false,
        },
      },
    });
  });
});
