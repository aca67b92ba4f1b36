import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { subscribe, WebhookReceiver } from '../fleet/alerts/support/webhook.js';
import { byAdministrator } from '../hosting/support/kubernetes-panel.js';
import { dataOf } from '../support/answers.js';
import { until, type Tenant } from '../support/world.js';
import {
  call,
  connected,
  forgetRepository,
  git,
  inForce,
  newRepository,
  panel,
  paying,
  policies,
  policy,
  refresh,
  seen,
  start,
  update,
} from './support/gitops.js';
import { nodeWith, signedIn } from './support/tenant.js';

beforeAll(async () => start());
afterAll(async () => panel.stop());
beforeEach(newRepository);
afterEach(forgetRepository);

const version = (text: string, more = '') => `apiVersion: v1
kind: DesiredVersion
metadata: {name: All}
spec:
  version: "${text}"
  steps: [{percent: 50, bake_seconds: 60}]
${more}`;

interface Canary {
  id: string;
  name: string;
  status: string;
}

async function canaries(tenant: Tenant): Promise<Canary[]> {
  const answer = await tenant.graphql<{ canaries: { nodes: Canary[] } }>(
    '{ canaries { nodes { id name status } } }',
  );
  return dataOf(answer).canaries.nodes;
}

async function act(tenant: Tenant, id: string, action: string): Promise<void> {
  const answer = await tenant.rest(`/api/governance/canary/${id}`, { method: 'PUT', body: { action } });
  expect(answer.status).toBe(200);
}

/** Lets time go by until a canary of this name is so, no faster than what it waits for is done. */
async function canaryIs(
  tenant: Tenant,
  name: string,
  statuses: readonly string[],
  strideMs = 5_000,
): Promise<void> {
  let last: { status: string }[] = [];
  await until(
    async () => {
      await panel.clock.leap(strideMs);
      last = await panel.sql('select status from governance.canary where tenant_id = $1 and name = $2', [
        tenant.id,
        name,
      ]);
      return last.some(({ status }) => statuses.includes(status));
    },
    `${name} to be ${statuses.join(' or ')}`,
    90_000,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${JSON.stringify(last)}`);
  });
}

async function byHand(tenant: Tenant): Promise<string> {
  const answer = await tenant.rest<{ id: string }>('/api/governance/canary', {
    body: {
      name: 'By hand',
      command: 'update',
      params: { version: '0.2.5' },
      steps: [{ percent: 50, bake_seconds: 60 }],
      start_at: new Date(panel.clock.now().getTime() + 86_400_000).toISOString(),
    },
  });
  expect([answer.status, answer.text]).toEqual([201, expect.any(String)]);
  return answer.body.id;
}

const open = ['PENDING', 'RUNNING', 'BAKING', 'PROMOTING'];

describe('a version that is declared', { timeout: 300_000 }, () => {
  test('while another canary is under way comes when that has ended, and nothing else is set right with it', async () => {
    const tenant = await paying();
    await nodeWith(tenant, { 'backup.encryption': true });
    await nodeWith(tenant, { 'backup.encryption': true });
    const first = await git.commit({ 'a.yaml': policy('Encrypted') });
    const id = await connected(tenant);
    await inForce(tenant, id, first);
    const other = await byHand(tenant);
    const sha = await git.commit({ 'a.yaml': policy('Encrypted'), 'b.yaml': version('0.3.0') });
    await refresh(tenant, id);
    const held = await seen(tenant, id, ({ changes }) => changes[0]?.heldBack != null, 'it to wait');
    expect([held.lastSeenCommit, held.changes.map(({ kind }) => kind)]).toEqual([sha, ['DesiredVersion']]);
    const [made] = await policies(tenant);
    await call(
      tenant,
      'mutation ($id: ID!) { updatePolicy(id: $id, input: { severity: CRITICAL }) { id } }',
      {
        id: made?.id,
      },
    );
    // It goes on waiting, however often it is looked at.
    await refresh(tenant, id);
    await seen(tenant, id, ({ changes }) => changes.length === 2, 'the drift as well');
    expect((await canaries(tenant)).map(({ name }) => name)).toEqual(['By hand']);
    await act(tenant, other, 'abort');
    await canaryIs(tenant, 'By hand', ['ROLLED_BACK']);
    const by = await signedIn(tenant);
    await refresh(by, id);
    await canaryIs(by, 'All: 0.3.0', open);
    expect((await policies(by))[0]?.severity).toBe('CRITICAL');
  });

  test('while the canary of the one before is under way comes when that has ended', async () => {
    const tenant = await paying();
    await nodeWith(tenant, { 'backup.encryption': true });
    await git.commit({ 'a.yaml': version('0.3.0') });
    const id = await connected(tenant);
    await canaryIs(tenant, 'All: 0.3.0', open);
    await git.commit({ 'a.yaml': version('0.3.1') });
    await refresh(tenant, id);
    await seen(tenant, id, ({ changes }) => changes[0]?.heldBack != null, 'it to wait');
    const [before] = await canaries(tenant);
    await act(tenant, before!.id, 'abort');
    await canaryIs(tenant, 'All: 0.3.0', ['ROLLED_BACK']);
    const by = await signedIn(tenant);
    await refresh(by, id);
    await canaryIs(by, 'All: 0.3.1', open);
    expect((await canaries(await signedIn(by))).map(({ name }) => name).toSorted()).toEqual([
      'All: 0.3.0',
      'All: 0.3.1',
    ]);
  });

  test('has as long to be taken up as its file says, two days unless told; one that stands still is told at its line, and is wrong only where nobody meant it', async () => {
    const tenant = await paying();
    await nodeWith(tenant, { 'backup.encryption': true });
    await nodeWith(tenant, { 'backup.encryption': true });
    await git.commit({ 'a.yaml': `# versions\n${version('0.3.0')}` });
    const id = await connected(tenant);
    await canaryIs(tenant, 'All: 0.3.0', ['RUNNING']);
    const settings = async () =>
      panel.sql<{ seconds: number }>(
        `select (settings ->> 'progressDeadlineSeconds')::integer as seconds from governance.canary
         where tenant_id = $1 order by id`,
        [tenant.id],
      );
    expect(await settings()).toEqual([{ seconds: 172_800 }]);
    const [made] = await canaries(tenant);
    await act(tenant, made!.id, 'pause');
    await refresh(tenant, id);
    const paused = await seen(tenant, id, ({ problems }) => problems.length === 1, 'the pause to be told');
    expect([paused.health, paused.problems]).toEqual([
      'PROGRESSING',
      [
        {
          file: 'a.yaml',
          line: 2,
          message: `The canary ${made!.id} is paused and waits for somebody: Somebody paused it`,
        },
      ],
    ]);
    await act(tenant, made!.id, 'abort');
    await canaryIs(tenant, 'All: 0.3.0', ['ROLLED_BACK']);
    const by = await signedIn(tenant);
    await git.commit({ 'a.yaml': version('0.3.1', '  progress_deadline_seconds: 120\n') });
    await refresh(by, id);
    // Nobody takes it up: a minute later there is nothing to go on with.
    await canaryIs(by, 'All: 0.3.1', ['PAUSED'], 500);
    expect((await settings()).at(-1)).toEqual({ seconds: 120 });
    await refresh(await signedIn(by), id);
    const waits = await seen(await signedIn(by), id, ({ problems }) => problems.length === 1, 'why it waits');
    expect([waits.health, waits.problems[0]?.message]).toEqual([
      'DEGRADED',
      expect.stringMatching(
        /^The canary can_\w+ is paused and waits for somebody: No instance could be reached/,
      ),
    ]);
  });
});

describe('a commit', { timeout: 180_000 }, () => {
  test('of a tenant that is suspended is not fetched before that is over', async () => {
    const tenant = await paying();
    const id = await connected(tenant);
    await inForce(tenant, id, await git.commit({ 'a.yaml': policy('First') }));
    await byAdministrator(tenant, 'suspendTenant');
    await until(async () => (await tenant.rest('/api/fleet/instances')).status === 401, 'the refusal');
    const due = async () =>
      panel.sql<{ at: Date; looking: boolean }>(
        `select next_check_at as at, looking_until > $2 as looking from governance.gitops_config where id = $1`,
        [id, panel.clock.now()],
      );
    // A look that was under way has its end first.
    await until(async () => (await due())[0]!.looking !== true, 'nobody to look');
    const before = git.requests;
    const sha = await git.commit({ 'a.yaml': `${policy('First')}---\n${policy('Second')}` });
    for (let times = 0; times < 3; times += 1) {
      const at = (await due())[0]!.at;
      await panel.clock.leap(Math.max(0, at.getTime() - panel.clock.now().getTime()) + 1_000);
      await until(async () => (await due())[0]!.at > panel.clock.now(), 'the look to be put off');
    }
    expect(git.requests).toBe(before);
    await byAdministrator(tenant, 'restoreTenant');
    const { email, password } = tenant.account;
    await until(async () => (await panel.world.login(email, password)).status === 200, 'the sign-in');
    await panel.clock.leap(60_000);
    await inForce(await signedIn(tenant), id, sha);
  });

  test('that cannot be read is told to channels, with what is wrong, and to those that were told so that it is over', async () => {
    await using receiver = await WebhookReceiver.start();
    await using others = await WebhookReceiver.start();
    await using late = await WebhookReceiver.start();
    const tenant = await paying();
    await subscribe(tenant, receiver);
    await subscribe(tenant, others, { tellsGitOps: false });
    const first = await git.commit({ 'a.yaml': policy('Encrypted') });
    const id = await connected(tenant, { autoSync: true });
    const { health } = await inForce(tenant, id, first);
    await git.commit({ 'a.yaml': 'kind: Nothing' });
    await refresh(tenant, id);
    const degraded = await seen(tenant, id, (config) => config.health === 'DEGRADED', 'it to be degraded');
    const told = async (count: number) => {
      await until(async () => {
        await panel.clock.advance(2_000);
        return receiver.received.length === count;
      }, `${count} messages`);
      return receiver.received.map(({ body }) => [
        body.type,
        (body.data as unknown as { repository: object }).repository,
      ]);
    };
    const problem = degraded.problems[0]?.message;
    const beginning = ['gitops.degraded', { id, name: 'Fleet', health: 'degraded', problem }];
    expect([health, await told(1)]).toEqual(['HEALTHY', [beginning]]);
    const deliveries = await tenant.graphql(
      '{ notificationDeliveries { nodes { subjectId canary { id } gitOpsConfig { id name } } } }',
    );
    expect(dataOf(deliveries)).toEqual({
      notificationDeliveries: {
        nodes: [{ subjectId: id, canary: null, gitOpsConfig: { id, name: 'Fleet' } }],
      },
    });
    // It is paused while it is mended: what was begun is over all the same, for those who know of it.
    await update(tenant, id, { isPaused: true });
    await subscribe(tenant, late);
    const last = await git.commit({ 'a.yaml': policy('Encrypted', '  severity: high') });
    await update(tenant, id, { isPaused: false });
    await inForce(tenant, id, last);
    expect(await told(2)).toEqual([
      beginning,
      ['gitops.recovered', { id, name: 'Fleet', health: 'healthy', problem: null }],
    ]);
    expect([others.received, late.received]).toEqual([[], []]);
    // One that is removed as it is degraded is over too.
    await git.commit({ 'a.yaml': 'kind: Nothing' });
    await refresh(tenant, id);
    await told(3);
    dataOf(await tenant.graphql('mutation($id: ID!) { deleteGitOpsConfig(id: $id) { id } }', { id }));
    expect((await told(4)).at(-1)).toEqual([
      'gitops.recovered',
      { id, name: 'Fleet', health: 'removed', problem: null },
    ]);
    expect(
      await panel.sql(
        `select 1 from fleet.notification_channel where tenant_id = $1 and degraded_told <> '{}'`,
        [tenant.id],
      ),
    ).toEqual([]);
  });
});
