import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until, type Tenant } from '../support/world.js';
import { drive, isKnown, shown, turn, workers, type Canary, type Worker } from './support/canaries.js';
import { signedIn, useScene } from './support/tenant.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
  useScene(panel);
});
afterAll(async () => panel.stop());

async function scene(count: number): Promise<{ tenant: Tenant; all: Worker[] }> {
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  const all = await workers(tenant, count);
  await until(() => isKnown(panel, tenant, count), 'governance to know the nodes');
  return { tenant, all };
}

async function start(
  tenant: Tenant,
  version: string,
  bakeSeconds: number,
  percents: readonly number[] = [30, 60],
): Promise<string> {
  const answer = await tenant.rest<Canary>('/api/governance/canary', {
    body: {
      name: `To ${version}`,
      command: 'update',
      params: { version },
      steps: percents.map((percent, at) => ({ percent, bake_seconds: at === 0 ? bakeSeconds : 60 })),
      start_at: new Date(panel.clock.now().getTime() + 60_000).toISOString(),
    },
  });
  expect([answer.status, answer.text]).toEqual([201, expect.any(String)]);
  return answer.body.id;
}

async function members(tenant: Tenant, id: string): Promise<{ instanceId: string; status: string }[]> {
  const answer = await tenant.graphql<{ canary: { members: { instanceId: string; status: string }[] } }>(
    'query ($id: ID!) { canary(id: $id) { members(first: 100) { instanceId status } } }',
    { id },
  );
  return dataOf(answer).canary.members;
}

/** Has the first member leave the fleet; answers those that stay. */
async function leave(tenant: Tenant, id: string, all: readonly Worker[]): Promise<Worker[]> {
  const [first] = await members(tenant, id);
  dataOf(
    await tenant.graphql('mutation ($id: ID!) { decommissionInstance(id: $id) { id } }', {
      id: first!.instanceId,
    }),
  );
  await until(async () => (await members(tenant, id))[0]?.status === 'GONE', 'it to be known to have left');
  return all.filter(({ node }) => node.id !== first!.instanceId);
}

test('a canary counts at once who has left the fleet, and to its end', { timeout: 180_000 }, async () => {
  const { tenant, all } = await scene(3);
  const id = await start(tenant, '0.3.3', 120, [100]);
  const counts = async (by: Tenant = tenant) => {
    const answer = await by.graphql<{ canary: { status: string; instances: object } }>(
      'query ($id: ID!) { canary(id: $id) { status instances { target updated unreached } } }',
      { id },
    );
    return dataOf(answer).canary;
  };
  await drive(panel, tenant, id, all, ['baking']);
  expect((await counts()).instances).toEqual({ target: 3, updated: 3, unreached: 0 });
  const others = await leave(tenant, id, all);
  await until(async () => {
    await panel.clock.advance(1_000);
    return JSON.stringify(await counts()).includes('"updated":2');
  }, 'it to be counted out');
  const isLeft = { target: 3, updated: 2, unreached: 1 };
  expect(await counts()).toEqual({ status: 'BAKING', instances: isLeft });
  await drive(panel, tenant, id, others, ['succeeded', 'paused', 'failed']);
  expect(await counts(await signedIn(tenant))).toEqual({ status: 'SUCCEEDED', instances: isLeft });
});

describe('a step of a canary', { timeout: 180_000 }, () => {
  test('whose instances have left the fleet before their turn is passed, and the others have theirs', async () => {
    const { tenant, all } = await scene(3);
    const id = await start(tenant, '0.3.1', 60);
    const others = await leave(tenant, id, all);
    expect(await drive(panel, tenant, id, others, ['succeeded', 'paused', 'failed'])).toMatchObject({
      status: 'succeeded',
      instances: { target: 3, updated: 2, failed: 0 },
    });
    expect(others.map(({ done }) => done)).toEqual([['0.3.1'], ['0.3.1']]);
  });

  test('whose instances leave the fleet while it bakes is passed at once, and the next begins', async () => {
    const { tenant, all } = await scene(3);
    const id = await start(tenant, '0.3.2', 36_000);
    await drive(panel, tenant, id, all, ['baking']);
    const others = await leave(tenant, id, all);
    let seen = await shown(tenant, id);
    for (let count = 0; seen.current_step === 1 && count < 60; count += 1) {
      await turn(panel, id, others);
      seen = await shown(tenant, id);
    }
    expect(seen.current_step).toBe(2);
    expect(await drive(panel, tenant, id, others, ['succeeded', 'paused', 'failed'])).toMatchObject({
      status: 'succeeded',
      instances: { updated: 2 },
    });
  });
});

test('canaries are forgotten after 90 days, some thousand members at a time', async () => {
  const { tenant } = await scene(1);
  const id = await start(tenant, '0.9.0', 60);
  // As it is when it has ended: the oldest are for more instances than go at a time.
  const old = async (copy: string, target: number, days: number) =>
    panel.sql(
      `insert into governance.canary select (jsonb_populate_record(c, jsonb_build_object('id', $2::text, 'target', $3::int,
         'status', 'SUCCEEDED', 'due_at', null, 'finished_at', $4::timestamptz))).* from governance.canary c where id = $1`,
      [id, copy, target, new Date(panel.clock.now().getTime() - days * 24 * 3_600_000)],
    );
  await panel.sql('create table removal (id text, transaction bigint)');
  await panel.sql(`create function note_removal() returns trigger language plpgsql security definer as
    $$ begin insert into public.removal values (old.id, txid_current()); return null; end $$`);
  await panel.sql(
    'create trigger note after delete on governance.canary for each row execute function note_removal()',
  );
  await old('can_1', 20_000, 99);
  await old('can_2', 6_000, 98);
  await old('can_3', 4_000, 97);
  await old('can_4', 1, 96);
  await old('can_young', 1, 89);
  const left = async () => {
    await panel.clock.advance(3_600_000);
    return panel.sql('select id from governance.canary where tenant_id = $1 and finished_at is not null', [
      tenant.id,
    ]);
  };
  await expect.poll(left, { timeout: 30_000 }).toEqual([{ id: 'can_young' }]);
  expect(
    await panel.sql(
      `select string_agg(id, ' ' order by id) as ids from removal group by transaction order by transaction`,
    ),
  ).toEqual([{ ids: 'can_1' }, { ids: 'can_2 can_3' }, { ids: 'can_4' }]);
});
