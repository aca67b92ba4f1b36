import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { HeldLock } from '../support/held-lock.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until } from '../support/world.js';
import { create, encrypted, judged, nodeWith, signedIn, useScene } from './support/tenant.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
  useScene(panel);
});
afterAll(async () => panel.stop());

describe('results', () => {
  test('of a tenant whose policies are just changed wait with nothing held, and keep no other tenant waiting', async () => {
    const [busy, other] = [await panel.world.tenant(), await panel.world.tenant()];
    const node = await nodeWith(busy, { 'backup.encryption': true });
    for (const tenant of [busy, other]) await create(tenant, { name: 'P', rule: encrypted });
    const pending = async (tenant: { id: string }) =>
      panel.sql('select 1 from governance.standing where tenant_id = $1 and pending_since is not null', [
        tenant.id,
      ]);
    for (const [at, tenant] of [busy, other].entries())
      await panel.sql(
        'update governance.standing set revision = revision + 1, pending_since = $2 where tenant_id = $1',
        [tenant.id, new Date(panel.clock.now().getTime() + at)],
      );
    await using held = await HeldLock.by(
      panel,
      'select 1 from governance.standing where tenant_id = $1 for update',
      [busy.id],
    );
    const isDone = async (tenant: { id: string }) => {
      await panel.clock.advance(1_000);
      return (await pending(tenant)).length === 0;
    };
    await until(async () => isDone(other), 'the other tenant to be judged', 60_000);
    // Whoever changes a policy goes on to the instances.
    expect(
      await held.query('select 1 from governance.node where id = $1 for update nowait', [node.id]),
    ).toHaveLength(1);
    await held.release();
    await until(async () => isDone(busy), 'it to be judged as well', 60_000);
  });

  test('of a tenant that is never done keep no other tenant waiting', async () => {
    const [busy, other] = [await panel.world.tenant(), await panel.world.tenant()];
    const node = await nodeWith(busy, { 'backup.encryption': true });
    await create(other, { name: 'P', rule: encrypted });
    await panel.sql(
      `insert into governance.node select (jsonb_populate_record(n, jsonb_build_object('id', n.id || lpad(g::text, 4, '0')))).*
       from governance.node n, generate_series(1, 599) g where n.id = $1`,
      [node.id],
    );
    await panel.sql(`create function public.test_behind() returns trigger language plpgsql as $$ begin
      new.revision := -1; return new; end $$`);
    await panel.sql(`create trigger test_behind before update on governance.node for each row
      when (new.tenant_id = '${busy.id}') execute function public.test_behind()`);
    const now = panel.clock.now().getTime();
    await panel.sql(
      `insert into governance.standing (tenant_id, revision, pending_since, refreshed_at) values ($1, 1, $2, $2)
       on conflict (tenant_id) do update set pending_since = excluded.pending_since`,
      [busy.id, new Date(now - 2_000)],
    );
    await panel.sql(
      'update governance.standing set revision = revision + 1, pending_since = $2 where tenant_id = $1',
      [other.id, new Date(now - 1_000)],
    );
    const pending = async () =>
      (
        await panel.sql<{ tenantId: string }>(
          'select tenant_id as "tenantId" from governance.standing where pending_since is not null',
        )
      ).map(({ tenantId }) => tenantId);
    await until(
      async () => {
        await panel.clock.advance(1_000);
        return !(await pending()).includes(other.id);
      },
      'the other tenant to be judged',
      60_000,
    );
    expect(await pending()).toContain(busy.id);
    await panel.sql('drop function public.test_behind() cascade');
    await until(
      async () => {
        await panel.clock.advance(1_000);
        return (await pending()).length === 0;
      },
      'it to be judged as well',
      60_000,
    );
  });

  test.each([
    ['cannot be judged', 'P0001', 5 * 60_000],
    ['is not judged in time', '57014', 10_000],
  ])('of a tenant that %s keep no other tenant waiting, and follow once it can', async (_, code, heldMs) => {
    const [broken, other] = [await panel.world.tenant(), await panel.world.tenant()];
    const nodes = [];
    for (const tenant of [broken, other]) {
      nodes.push(await nodeWith(tenant, { 'backup.encryption': true }));
      await create(tenant, { name: 'P', rule: encrypted });
    }
    await panel.sql(`create function public.test_broken() returns trigger language plpgsql as $$ begin
      raise exception 'broken' using errcode = '${code}'; end $$`);
    await panel.sql(`create trigger test_broken before update of evaluated_at on governance.node for each row
      when (new.tenant_id = '${broken.id}') execute function public.test_broken()`);
    const now = panel.clock.now().getTime();
    for (const [at, tenant] of [broken, other].entries()) {
      const since = new Date(now - 2_000 + at);
      await panel.sql('update governance.node set due_at = $2 where tenant_id = $1', [tenant.id, since]);
      await panel.sql(
        'update governance.standing set revision = revision + 1, pending_since = $2 where tenant_id = $1',
        [tenant.id, since],
      );
    }
    const waiting = async (tenant: { id: string }) => {
      await panel.clock.advance(1_000);
      const [row] = await panel.sql<{ pending: boolean; due: boolean }>(
        // A node that has fallen silent meanwhile is due in a day.
        `select pending_since is not null as pending, (select coalesce(bool_or(due_at < $2), false) from governance.node n
           where n.tenant_id = s.tenant_id) as due from governance.standing s where tenant_id = $1`,
        [tenant.id, new Date(panel.clock.now().getTime() + 60 * 60_000)],
      );
      return row;
    };
    const isDone = { pending: false, due: false };
    await expect.poll(async () => waiting(other), { timeout: 60_000 }).toEqual(isDone);
    expect(await waiting(broken)).toEqual({ pending: true, due: true });
    await panel.sql('drop function public.test_broken() cascade');
    await panel.clock.advance(heldMs);
    await expect.poll(async () => waiting(broken), { timeout: 60_000 }).toEqual(isDone);
    expect(await judged(await signedIn(broken), nodes[0]!)).toMatchObject({ score: 100 });
  });
});
