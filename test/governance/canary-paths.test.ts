import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until, type Tenant } from '../support/world.js';
import { drive, isKnown, shown, turn, workers, type Canary, type Worker } from './support/canaries.js';
import { create, encrypted, known, signedIn, useScene } from './support/tenant.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
  useScene(panel);
});
afterAll(async () => panel.stop());

const ends = ['succeeded', 'rolled_back', 'failed'];
const half = [{ percent: 50, bake_seconds: 60 }];

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

const inAMinute = () => ({ start_at: new Date(panel.clock.now().getTime() + 60_000).toISOString() });

const act = async (tenant: Tenant, id: string, action: string) =>
  tenant.rest<Canary>(`/api/governance/canary/${id}`, { method: 'PUT', body: { action } });

async function members(tenant: Tenant, id: string): Promise<{ instanceId: string; status: string }[]> {
  const answer = await tenant.graphql<{ canary: { members: { instanceId: string; status: string }[] } }>(
    'query ($id: ID!) { canary(id: $id) { members(first: 1000) { instanceId status } } }',
    { id },
  );
  return dataOf(answer).canary.members;
}

/** The worker whose turn comes first. */
async function firstOf(tenant: Tenant, id: string, all: readonly Worker[]): Promise<Worker> {
  const [first] = await members(tenant, id);
  return all.find(({ node }) => node.id === first!.instanceId)!;
}

/** As a process that dies each time before it can write these. */
async function dying(condition: string): Promise<() => Promise<void>> {
  await panel.sql(`create function public.test_die() returns trigger language plpgsql as $$ begin
    if ${condition} then raise exception 'died'; end if; return new; end $$`);
  await panel.sql(
    'create trigger test_die before update on governance.canary_dispatch for each row execute function public.test_die()',
  );
  return async () => {
    await panel.sql('drop function public.test_die() cascade');
  };
}

describe('the analysis of a step', { timeout: 180_000 }, () => {
  test('passes a version on a node that has had more memory in use than the others all along', async () => {
    const { tenant, all } = await scene(4);
    const id = await start(tenant, '0.3.1', { ...inAMinute(), steps: [{ percent: 25, bake_seconds: 60 }] });
    const first = await firstOf(tenant, id, all);
    for (const each of all) each.beat = { memory_percent: each === first ? 67 : 37 };
    for (const each of all) await each.turn();
    const ended = await drive(panel, tenant, id, all, ends);
    expect(ended).toMatchObject({ status: 'succeeded', analysis: { verdict: 'pass' } });
  });

  test('does not count against a version what its command made of the node for a while, but what stays of it', async () => {
    const ill = { health: [{ component: 'apps', status: 'unhealthy', message: 'being updated' }] };
    const { tenant, all } = await scene(2);
    for (const [version, stays, status, reason] of [
      ['0.3.5', false, 'succeeded', null],
      ['0.3.6', true, 'rolled_back', 'ANALYSIS_FAILED'],
    ] as const) {
      const id = await start(await signedIn(tenant), version);
      const first = await firstOf(tenant, id, all);
      const { node, version: before } = first;
      let handed: { id: string; lease: string } | undefined;
      await until(async () => {
        await panel.clock.leap(1_000);
        const { body } = await node.beat({ version: before });
        handed = (body['commands'] as (typeof handed)[] | undefined)?.[0];
        return handed !== undefined;
      }, 'the command to come');
      await panel.clock.leap(5_000);
      await node.beat({ version: before, ...ill });
      await panel.clock.leap(5_000);
      await node.world.rest(`/api/agent/commands/${handed!.id}/result`, {
        token: node.credential,
        body: { lease: handed!.lease, status: 'success' },
      });
      first.version = version;
      let looked: Canary | undefined;
      await until(async () => {
        await turn(panel, id, []);
        looked = await shown(tenant, id);
        return looked.analysis !== null;
      }, 'the first look');
      expect(looked).toMatchObject({ status: 'baking', analysis: { verdict: 'inconclusive' } });
      first.beat = stays ? ill : { health: [] };
      const ended = await drive(panel, tenant, id, all, ends);
      expect(ended).toMatchObject({ status, reason, current_step: 1 });
    }
  });

  test('lets as many comparisons fail as were allowed: one passes over, one more takes it back', async () => {
    const { tenant, all } = await scene(2, (version) =>
      version === '0.7.7' ? { beat: { cpu_percent: 97 } } : {},
    );
    const patient = {
      steps: [{ percent: 50, bake_seconds: 600 }],
      analysis: { failure_limit: 1, interval_seconds: 60 },
    };
    const id = await start(tenant, '0.7.7', patient);
    await drive(panel, tenant, id, all, ['baking']);
    let seen = await shown(tenant, id);
    for (let count = 0; seen.analysis?.verdict !== 'fail' && count < 40; count += 1) {
      await turn(panel, id, all);
      seen = await shown(tenant, id);
    }
    expect(seen).toMatchObject({ status: 'baking', analysis: { verdict: 'fail' } });
    expect(await drive(panel, tenant, id, all, ends)).toMatchObject({
      status: 'rolled_back',
      reason: 'ANALYSIS_FAILED',
    });
  });

  test('waits for people where all are as badly off, and goes on when they say so', async () => {
    const { tenant, all } = await scene(2);
    const id = await start(tenant, '0.3.2');
    await drive(panel, tenant, id, all, ['baking']);
    for (const each of all) each.isAway = true;
    const paused = await drive(panel, tenant, id, all, ['paused']);
    expect(paused).toMatchObject({ reason: 'INCONCLUSIVE', analysis: { verdict: 'inconclusive' } });
    for (const each of all) each.isAway = false;
    for (const each of all) await each.turn();
    const by = await signedIn(tenant);
    expect((await act(by, id, 'resume')).status).toBe(200);
    expect(await drive(panel, by, id, all, ends)).toMatchObject({
      status: 'succeeded',
      instances: { updated: 2 },
    });
  });
});

describe('a canary', { timeout: 180_000 }, () => {
  test('whose first step reached nobody sends it again when it is resumed', async () => {
    const { tenant, all } = await scene(2);
    for (const each of all) each.isAway = true;
    const id = await start(tenant, '0.3.3', { progress_deadline_seconds: 120 });
    expect(await drive(panel, tenant, id, all, ['paused'])).toMatchObject({ reason: 'INCONCLUSIVE' });
    for (const each of all) each.isAway = false;
    for (const each of all) await each.turn();
    expect((await act(tenant, id, 'resume')).body.status).toBe('running');
    expect(await drive(panel, tenant, id, all, ends)).toMatchObject({
      status: 'succeeded',
      instances: { target: 2, updated: 2 },
    });
  });

  test('takes a version back that breaks a mandatory policy, though the policy lets no other update be done there', async () => {
    const broken = { beat: { cpu_percent: 97, facts: { 'backup.encryption': false } } };
    // Not at once: it would be taken back before anybody has seen it bake.
    let doesHarm = false;
    const { tenant, all } = await scene(2, (version) =>
      doesHarm && version === '0.8.8' ? broken : { beat: { facts: { 'backup.encryption': true } } },
    );
    for (const { node } of all) await known(node, 'backup.encryption', true);
    await create(tenant, { name: 'Encrypted', rule: encrypted, enforcement: 'MANDATORY' });
    const id = await start(tenant, '0.8.8', { steps: [{ percent: 50, bake_seconds: 600 }] });
    const first = await firstOf(tenant, id, all);
    await drive(panel, tenant, id, all, ['baking']);
    doesHarm = true;
    await first.turn();
    await known(first.node, 'backup.encryption', false);
    const other = await tenant.rest('/api/fleet/commands', {
      body: { instance_ids: [first.node.id], command: 'update', params: { version: '0.9.0' } },
    });
    expect(other.status).toBe(409);
    expect(await drive(panel, tenant, id, all, ends)).toMatchObject({
      status: 'rolled_back',
      reason: 'ANALYSIS_FAILED',
    });
    expect(first.done).toEqual(['0.8.8', '0.2.9']);
  });

  test('leaves out the instance that a policy forbids it on, also when it is resumed, and comes to all the others', async () => {
    const { tenant, all } = await scene(3, () => ({ beat: { facts: { 'backup.encryption': true } } }));
    for (const { node } of all) await known(node, 'backup.encryption', true);
    await create(tenant, { name: 'Encrypted', rule: encrypted, enforcement: 'MANDATORY' });
    const id = await start(tenant, '0.3.4', { ...inAMinute(), steps: [{ percent: 100, bake_seconds: 0 }] });
    const first = await firstOf(tenant, id, all);
    first.beat = { facts: { 'backup.encryption': false } };
    await first.turn();
    await known(first.node, 'backup.encryption', false);
    for (const each of all) each.isAway = each !== first;
    const statuses = async () => (await members(tenant, id)).map(({ status }) => status);
    await until(async () => {
      await turn(panel, id, all);
      return (await statuses()).join() === 'REFUSED,SENT,SENT';
    }, 'the others to have it sent');
    expect((await act(tenant, id, 'pause')).body.status).toBe('paused');
    expect((await act(tenant, id, 'resume')).body.status).toBe('running');
    // It is asked again, and refused again once the others have it.
    expect(await statuses()).toEqual(['WAITING', 'SENT', 'SENT']);
    for (const each of all) each.isAway = false;
    expect(await drive(panel, tenant, id, all, [...ends, 'paused'])).toMatchObject({
      status: 'succeeded',
      instances: { target: 3, updated: 2, failed: 0 },
    });
    expect(await statuses()).toEqual(['REFUSED', 'UPDATED', 'UPDATED']);
    expect(first.done).toEqual([]);
  });

  test('is taken back to what ran when the command was sent, not when it was prepared', async () => {
    const { tenant, all } = await scene(1);
    const [only] = all as [Worker];
    const alive = await dying('new.attempted_at is distinct from old.attempted_at');
    const id = await start(tenant, '0.4.0', { steps: [{ percent: 100, bake_seconds: 3_600 }] });
    await until(
      async () =>
        (await panel.sql('select 1 from governance.canary_dispatch where canary_id = $1', [id])).length > 0,
      'the command to be prepared',
    );
    only.version = '0.2.10';
    await only.turn();
    await known(only.node, 'cloud_os.version', '0.2.10');
    await alive();
    await drive(panel, tenant, id, all, ['baking']);
    expect((await act(tenant, id, 'abort')).status).toBe(200);
    expect(await drive(panel, tenant, id, all, ends)).toMatchObject({ status: 'rolled_back' });
    expect(only.done).toEqual(['0.4.0', '0.2.10']);
  });

  test('is given up at its deadline though nobody can say meanwhile how its command is', async () => {
    const { tenant, all } = await scene(2);
    const alive = await dying('new.command_id is distinct from old.command_id');
    const id = await start(tenant, '0.4.1', { progress_deadline_seconds: 120 });
    for (const each of all) each.isAway = true;
    await until(async () => {
      await panel.clock.leap(10_000);
      const { status, reason } = await shown(tenant, id);
      return status === 'aborting' && reason === 'DEADLINE_EXCEEDED';
    }, 'the deadline to end it');
    await alive();
    for (const each of all) each.isAway = false;
    expect(await drive(panel, tenant, id, all, ends)).toMatchObject({
      status: 'rolled_back',
      reason: 'DEADLINE_EXCEEDED',
    });
  });

  test('waits for people when nobody knows for a day whether its command was sent', async () => {
    const { tenant, all } = await scene(2);
    const alive = await dying('new.command_id is distinct from old.command_id');
    const id = await start(tenant, '0.4.2', { progress_deadline_seconds: 172_800 });
    await until(
      async () =>
        (await panel.sql('select 1 from fleet.command where tenant_id = $1', [tenant.id])).length > 0,
      'the command to be sent',
    );
    await panel.clock.leap(23 * 3_600_000 + 60_000);
    const by = await signedIn(tenant);
    await until(async () => {
      await panel.clock.leap(10_000);
      return (await shown(by, id)).status === 'paused';
    }, 'it to wait');
    expect(await shown(by, id)).toMatchObject({ reason: 'UNCERTAIN', instances: { failed: 1 } });
    // Nobody sends it anew.
    expect(await panel.sql('select 1 from fleet.command where tenant_id = $1', [tenant.id])).toHaveLength(1);
    await alive();
    expect((await act(by, id, 'abort')).status).toBe(200);
    expect(await drive(panel, by, id, all, ends)).toMatchObject({ status: 'rolled_back' });
  });

  test('for more than a thousand instances sends commands of a thousand at most, each instance in one', async () => {
    const { tenant, all } = await scene(1);
    const [{ node }] = all as [Worker];
    for (const table of ['fleet.instance', 'governance.node'])
      await panel.sql(
        `insert into ${table} select (jsonb_populate_record(i, jsonb_build_object('id', i.id || lpad(n::text, 5, '0'),
           'name', i.name || n))).* from ${table} i, generate_series(1, 1099) n where i.id = $1`,
        [node.id],
      );
    const id = await start(tenant, '0.5.0', {
      steps: [{ percent: 1, bake_seconds: 0 }],
      progress_deadline_seconds: 120,
    });
    expect(await drive(panel, tenant, id, [], ['paused'])).toMatchObject({
      reason: 'INCONCLUSIVE',
      instances: { target: 1_100 },
    });
    const by = await signedIn(tenant);
    expect((await act(by, id, 'promote')).body.status).toBe('promoting');
    expect(await drive(panel, by, id, [], ends)).toMatchObject({ status: 'succeeded' });
    const sizes = await panel.sql<{ total: number }>(
      'select total from fleet.command where tenant_id = $1 order by id',
      [tenant.id],
    );
    expect(sizes.map(({ total }) => total)).toEqual([11, 1_000, 89]);
    const [told] = await panel.sql<{ instances: number }>(
      'select count(distinct instance_id)::integer as instances from fleet.command_invocation where tenant_id = $1',
      [tenant.id],
    );
    expect(told?.instances).toBe(1_100);
  });
});
