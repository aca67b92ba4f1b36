import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf, refusal } from '../support/answers.js';
import { Live } from '../support/live.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until, type Tenant } from '../support/world.js';
import {
  drive,
  expectKnown,
  expectLegal,
  isKnown,
  shown,
  turn,
  workers,
  type Canary,
  type Worker,
} from './support/canaries.js';
import { create, signedIn, useScene } from './support/tenant.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
  useScene(panel);
});
afterAll(async () => panel.stop());

async function scene(
  count: number,
  behaviour?: Parameters<typeof workers>[2],
): Promise<{ tenant: Tenant; all: Worker[] }> {
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  const all = await workers(tenant, count, behaviour);
  await until(() => isKnown(panel, tenant, count), 'governance to know the nodes');
  return { tenant, all };
}

const quarter = [{ percent: 25, bake_seconds: 60 }];

async function start(tenant: Tenant, version: string, more: Record<string, unknown> = {}): Promise<string> {
  const answer = await tenant.rest<Canary>('/api/governance/canary', {
    body: { name: `To ${version}`, command: 'update', params: { version }, steps: quarter, ...more },
  });
  expect([answer.status, answer.text]).toEqual([201, expect.any(String)]);
  return answer.body.id;
}

const act = async (tenant: Tenant, id: string, action: string) =>
  tenant.rest<Canary>(`/api/governance/canary/${id}`, { method: 'PUT', body: { action } });

const ends = ['succeeded', 'rolled_back', 'failed'];

describe('a canary', () => {
  test('brings a good version to one step after the other, tells of it live, and to each instance once', async () => {
    const { tenant, all } = await scene(4);
    await using live = new Live<{ canaryProgressed: { id: string; status: string } }>(
      panel.panel.url,
      tenant.token,
      'subscription { canaryProgressed { id status } }',
    );
    await live.opened();
    const id = await start(tenant, '0.3.0', {
      steps: [
        { percent: 25, bake_seconds: 60 },
        { percent: 50, bake_seconds: 0 },
      ],
    });
    const baking = await drive(panel, tenant, id, all, ['baking']);
    expect(baking).toMatchObject({ current_step: 1, instances: { target: 4, updated: 1, failed: 0 } });
    const ended = await drive(panel, tenant, id, all, ends);
    expect(ended).toMatchObject({
      status: 'succeeded',
      reason: null,
      current_step: 2,
      instances: { target: 4, updated: 4, failed: 0 },
      analysis: { verdict: 'pass' },
    });
    expect(all.map(({ done }) => done)).toEqual(Array.from({ length: 4 }, () => ['0.3.0']));
    await until(async () => {
      const last = live.results.at(-1)?.data?.canaryProgressed;
      return last?.status === 'SUCCEEDED';
    }, 'the end to be told');
    // Should anybody take it up once more, it is due no more.
    await panel.sql('update governance.canary set due_at = $2 where id = $1', [id, panel.clock.now()]);
    await until(async () => {
      await panel.clock.advance(1_000);
      return (
        (await panel.sql('select 1 from governance.canary where id = $1 and due_at is null', [id])).length > 0
      );
    }, 'what has ended to be left alone');
    expect((await shown(tenant, id)).status).toBe('succeeded');
  });

  test('never lets a bad version past its first step, and takes it back: one that fails, and one that does harm', async () => {
    const { tenant, all } = await scene(4, (version) =>
      version === '0.6.6' ? { fails: true } : version === '0.7.7' ? { beat: { cpu_percent: 97 } } : {},
    );
    const failed = await drive(panel, tenant, await start(tenant, '0.6.6'), all, ends);
    expect(failed).toMatchObject({ status: 'rolled_back', reason: 'COMMANDS_FAILED', current_step: 1 });
    expect(all.filter(({ done }) => done.includes('0.6.6'))).toHaveLength(1);
    for (const each of all) each.done.length = 0;
    const harmful = await drive(panel, tenant, await start(tenant, '0.7.7'), all, ends);
    expect(harmful).toMatchObject({
      status: 'rolled_back',
      reason: 'ANALYSIS_FAILED',
      current_step: 1,
      message: expect.stringContaining('cpu'),
    });
    const touched = all.filter(({ done }) => done.length > 0);
    expect(touched.map(({ done }) => done)).toEqual([['0.7.7', '0.2.9']]);
    expect(new Set(all.map(({ version }) => version))).toEqual(new Set(['0.2.9']));
  });

  test('that is paused while it bakes has the rest of its bake before it when it is resumed', async () => {
    const { tenant, all } = await scene(2);
    const id = await start(tenant, '0.3.2', { steps: [{ percent: 50, bake_seconds: 3_600 }] });
    await drive(panel, tenant, id, all, ['baking']);
    const until = async () => {
      const answer = await tenant.graphql<{ canary: { bakeUntil: string } }>(
        'query ($id: ID!) { canary(id: $id) { bakeUntil } }',
        { id },
      );
      return Date.parse(dataOf(answer).canary.bakeUntil);
    };
    const before = await until();
    await act(tenant, id, 'pause');
    await panel.clock.advance(120_000);
    await act(tenant, id, 'resume');
    expect((await until()) - before).toBe(120_000);
    await act(tenant, id, 'abort');
  });

  test('that is aborted cancels what an instance is at, and not again at each look', async () => {
    const { tenant, all } = await scene(1);
    const id = await start(tenant, '0.3.3', { steps: [{ percent: 100, bake_seconds: 60 }] });
    await until(() => all[0]!.begins(), 'the command to be begun');
    await act(tenant, id, 'abort');
    const cancelled = `select 1 from fleet.outbox where payload->>'action' = 'cancelCommand' and tenant_id = $1`;
    await turn(panel, id, []);
    const before = await panel.sql(cancelled, [tenant.id]);
    for (let look = 0; look < 6; look += 1) await turn(panel, id, []);
    expect([before.length > 0, await panel.sql(cancelled, [tenant.id])]).toEqual([true, before]);
  });

  test('waits for people when nothing can be told, and does what they say, once', async () => {
    const { tenant, all } = await scene(2);
    for (const each of all) each.isAway = true;
    const id = await start(tenant, '0.3.1', { progress_deadline_seconds: 120 });
    const paused = await drive(panel, tenant, id, all, ['paused']);
    expect(paused).toMatchObject({ reason: 'INCONCLUSIVE', instances: { updated: 0, failed: 0 } });
    const pausedAgain = await act(tenant, id, 'pause');
    expect([pausedAgain.status, pausedAgain.body.status]).toEqual([200, 'paused']);
    for (const each of all) each.isAway = false;
    expect((await act(tenant, id, 'promote')).body.status).toBe('promoting');
    expect((await act(tenant, id, 'promote')).body.status).toBe('promoting');
    expect(await drive(panel, tenant, id, all, ends)).toMatchObject({
      status: 'succeeded',
      instances: { updated: 1 },
    });
    const refused = await act(tenant, id, 'abort');
    expect([refused.status, refused.body]).toMatchObject([
      409,
      { details: { status: 'succeeded', allowed: [] } },
    ]);
    const other = await act(await panel.world.tenant(), id, 'abort');
    expect(other.status).toBe(404);
  });

  test('is refused with the place of what is wrong, with the policy that forbids it, and beside another on the same instance', async () => {
    const { tenant } = await scene(1);
    const post = async (body: Record<string, unknown>, by = tenant) =>
      by.rest('/api/governance/canary', {
        body: { name: 'C', command: 'update', params: { version: '1.0.0' }, steps: quarter, ...body },
      });
    const places: [Record<string, unknown>, string][] = [
      [{ steps: [] }, 'steps'],
      [
        {
          steps: [
            { percent: 50, bake_seconds: 0 },
            { percent: 50, bake_seconds: 0 },
          ],
        },
        'steps.1.percent',
      ],
      [{ params: { version: 'new' } }, 'params.version'],
      [{ applies_to: { instance_ids: ['inst_none'] } }, 'applies_to.instance_ids.0'],
      [{ applies_to: { tags: ['nobody'] } }, 'applies_to'],
      [{ progress_deadline_seconds: 1 }, 'progress_deadline_seconds'],
    ];
    for (const [body, place] of places) {
      const answer = await post(body);
      expect([answer.status, Object.keys(answer.body['details'] as object)]).toEqual([422, [place]]);
    }
    const free = await panel.world.tenant();
    expect((await post({}, free)).status).toBe(403);
    const policyId = await create(tenant, {
      name: 'Not that one',
      enforcement: 'MANDATORY',
      rule: { condition: 'cloud_os.version', operator: 'not_equals', value: '6.6.6' },
    });
    const forbidden = await post({ params: { version: '6.6.6' } });
    expect([forbidden.status, forbidden.body['details']]).toMatchObject([
      409,
      { policy: policyId, actual: '6.6.6' },
    ]);
    const startAt = new Date(panel.clock.now().getTime() + 3_600_000).toISOString();
    const first = await post({ start_at: startAt });
    expect([first.status, first.body['status']]).toEqual([201, 'pending']);
    expect((await post({})).body).toMatchObject({
      error: 'Another canary is under way on one of these instances',
    });
    const id = String(first.body['id']);
    const renamed = await tenant.rest(`/api/governance/canary/${id}`, {
      method: 'PUT',
      body: { name: 'Renamed', steps: [{ percent: 100, bake_seconds: 5 }] },
    });
    expect(renamed.body).toMatchObject({ name: 'Renamed', steps: [{ percent: 100, bake_seconds: 5 }] });
    expect((await act(tenant, id, 'resume')).status).toBe(409);
    expect((await act(tenant, id, 'abort')).status).toBe(200);
    await until(async () => (await shown(tenant, id)).status === 'rolled_back', 'it to be over');
    // The same call again is the same canary.
    const again = async () =>
      tenant.graphql<{ createCanary: { id: string } }>(
        'mutation ($input: CreateCanaryInput!) { createCanary(input: $input) { id } }',
        {
          input: {
            name: 'Twice',
            command: 'RESTART',
            steps: [{ percent: 100, bakeSeconds: 0 }],
            startAt,
            idempotencyKey: 'once',
          },
        },
      );
    const twice = [dataOf(await again()), dataOf(await again())];
    expect(twice[0]).toEqual(twice[1]);
    const wrong = await tenant.graphql('mutation ($id: ID!) { resumeCanary(id: $id) { id } }', {
      id: twice[0]!.createCanary.id,
    });
    expect(refusal(wrong)).toMatchObject({ code: 'CONFLICT', reason: 'ILLEGAL_MOVE' });
  });
});

describe('whatever dies in between', () => {
  const actions = ['pause', 'resume', 'promote', 'abort', 'work', 'work', 'work'] as const;
  const quick = [{ percent: 30, bake_seconds: 5 }];
  let round = 0;

  test('a canary goes by its table of moves only, comes to an end, and does nothing twice', async () => {
    const { tenant, all } = await scene(3, (version) => (version.endsWith('.13') ? { fails: true } : {}));
    await someWritesDie();
    const property = async (does: readonly (typeof actions)[number][], isBad: boolean) => {
      round += 1;
      const version = `1.${round}.${isBad ? 13 : 1}`;
      const by = await signedIn(tenant);
      for (const each of all) each.done.length = 0;
      const body = { name: version, command: 'update', params: { version }, steps: quick };
      const begun = await survive(() => by.rest<Canary>('/api/governance/canary', { body }));
      expect([begun.status, begun.text]).toEqual([201, expect.any(String)]);
      const { id } = begun.body;
      const statuses: number[] = [];
      for (const action of [...does, 'resume'] as const) {
        if (action === 'work') await turn(panel, id, all);
        else statuses.push((await survive(() => act(by, id, action))).status);
      }
      expect(statuses.filter((status) => status !== 200 && status !== 409)).toEqual([]);
      const ended = await drive(panel, tenant, id, all, ends);
      const isDone = all.some(({ done }) => done.includes(version));
      expect(isBad && isDone ? ['rolled_back'] : ends).toContain(ended.status);
      await expectOnce(tenant, id, version, all);
    };
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...actions), { maxLength: 6 }), fc.boolean(), property),
      {
        numRuns: 4,
        seed: 7,
        endOnFailure: true,
      },
    );
    const [died] = await panel.sql<{ count: string }>('select last_value as count from test_death');
    expect(Number(died!.count)).toBeGreaterThan(5);
  }, 240_000);

  /** Each fourth write of a canary fails when it is about to be made: that what came before it was done nobody knows then. */
  async function someWritesDie(): Promise<void> {
    await panel.sql('create sequence public.test_death');
    await panel.sql('grant usage on sequence public.test_death to public');
    await panel.sql(`create function public.test_die() returns trigger language plpgsql as $$ begin
      if random() < 0.25 and nextval('public.test_death') > 0 then raise exception 'died'; end if; return new; end $$`);
    for (const table of ['canary', 'canary_dispatch'])
      await panel.sql(
        `create trigger test_die before update on governance.${table} for each row execute function public.test_die()`,
      );
  }

  /** As a client does that is answered by a fault of the panel's. */
  async function survive<Answered extends { status: number }>(
    work: () => Promise<Answered>,
  ): Promise<Answered> {
    for (;;) {
      const answer = await work();
      if (answer.status < 500) return answer;
    }
  }

  async function expectOnce(
    tenant: Tenant,
    id: string,
    version: string,
    all: readonly Worker[],
  ): Promise<void> {
    for (const { done } of all) {
      expect(done.filter((each) => each === version).length).toBeLessThanOrEqual(1);
      expect(done.length).toBeLessThanOrEqual(2);
    }
    await expectKnown(panel, tenant.id);
    expect(['SUCCEEDED', 'ROLLED_BACK']).toContain(await expectLegal(panel, id));
  }
});
