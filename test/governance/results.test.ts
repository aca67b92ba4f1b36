import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf, refusal } from '../support/answers.js';
import { HeldLock } from '../support/held-lock.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until } from '../support/world.js';
import { create, encrypted, judged, known, nodeWith, signedIn, useScene } from './support/tenant.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
  useScene(panel);
});
afterAll(async () => panel.stop());

describe('facts', () => {
  test('are kept with their time, shown as they came, and told once for each change', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, { backup: { encryption: true } });
    const told = async () =>
      panel.sql(`select payload from fleet.outbox where topic = 'fleet.facts.changed' and entity_id = $1`, [
        node.id,
      ]);
    expect(await told()).toHaveLength(1);
    await node.beat({ facts: { backup: { encryption: true } } });
    await node.beat();
    expect(await told()).toHaveLength(1);
    await node.beat({ facts: { backup: { encryption: false } } });
    await node.beat({ version: '0.3.0' });
    expect((await told()).map(({ payload }) => [payload.facts, payload.version])).toEqual([
      [{ backup: { encryption: true } }, '0.2.9'],
      [{ backup: { encryption: false } }, '0.2.9'],
      [null, '0.3.0'],
    ]);
    await known(node, 'cloud_os.version', '0.3.0');
    await known(node, 'backup.encryption', false);
    const answer = await tenant.graphql<{ instance: object }>(
      'query ($id: ID!) { instance(id: $id) { facts factsReportedAt } }',
      { id: node.id },
    );
    expect(dataOf(answer).instance).toEqual({
      facts: { backup: { encryption: false } },
      factsReportedAt: panel.clock.now().toISOString(),
    });
  });

  test('are described: each with its type and the operators that compare it', async () => {
    const tenant = await panel.world.tenant();
    const answer = await tenant.graphql<{ factKinds: { version: number; facts: { path: string }[] } }>(
      '{ factKinds { version facts { path type unit source operators description } } }',
    );
    const { version, facts } = dataOf(answer).factKinds;
    expect(version).toBeGreaterThan(0);
    expect(facts.find(({ path }) => path === 'updates.pending_security')).toEqual({
      path: 'updates.pending_security',
      type: 'NUMBER',
      unit: 'updates',
      source: 'NODE',
      operators: ['equals', 'not_equals', 'in', 'not_in', 'gt', 'gte', 'lt', 'lte', 'exists'],
      description: 'Security updates that wait to be installed.',
    });
  });

  test('are cut where they are too long, at a whole character', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, { 'custom.motd': `${'a'.repeat(999)}😀` });
    await known(node, 'custom.motd', 'a'.repeat(999));
  });

  test('that only the panel can know are not taken from a node', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, {
      'cloud_os.version': '9.9.9',
      instance: { tags: ['trusted'] },
      'action.kind': 'none',
      'disk.encryption': true,
    });
    const [row] = await panel.sql<{ facts: object }>('select facts from governance.node where id = $1', [
      node.id,
    ]);
    expect(row?.facts).toMatchObject({
      'cloud_os.version': '0.2.9',
      'instance.tags': [],
      'disk.encryption': true,
    });
    expect(row?.facts).not.toHaveProperty('action.kind');
  });
});

describe('results', () => {
  test('say why, follow the facts of one node alone, and are unknown where nothing is known', async () => {
    const tenant = await panel.world.tenant();
    const [node, other] = [
      await nodeWith(tenant, { 'backup.encryption': 'yes' }),
      await nodeWith(tenant, { 'backup.encryption': true }),
    ];
    const policyId = await create(tenant, { name: 'P', rule: encrypted });
    const expected = { condition: 'backup.encryption', expected: true };
    expect(await judged(tenant, node)).toEqual({
      score: null,
      violations: 0,
      policyResults: [{ policyId, status: 'UNKNOWN', evidence: { ...expected, actual: 'yes' } }],
    });
    const stamp = async () => {
      const [row] = await panel.sql('select xmin::text from governance.node where id = $1', [other.id]);
      return row;
    };
    const before = await stamp();
    await node.beat({ facts: { 'backup.encryption': false } });
    await known(node, 'backup.encryption', false);
    expect(await judged(tenant, node)).toEqual({
      score: 0,
      violations: 1,
      policyResults: [{ policyId, status: 'FAIL', evidence: { ...expected, actual: false } }],
    });
    expect(await stamp()).toEqual(before);
    const page = await tenant.graphql<{ policyResults: { nodes: object[]; totalCount: number } }>(
      `query ($id: ID!) { policyResults(policyId: $id, status: FAIL) {
        nodes { status since policy { name counts { passing failing unknown exempt } } instance { name } } totalCount } }`,
      { id: policyId },
    );
    expect(dataOf(page).policyResults).toEqual({
      nodes: [
        {
          status: 'FAIL',
          since: expect.any(String) as string,
          policy: { name: 'P', counts: { passing: 1, failing: 1, unknown: 0, exempt: 0 } },
          instance: { name: node.name },
        },
      ],
      totalCount: 1,
    });
  });

  test('change with time alone: a backup grows old, and a silent node is not believed after a day', async () => {
    const tenant = await panel.world.tenant();
    const now = panel.clock.now();
    const node = await nodeWith(tenant, {
      'backup.last_success': new Date(now.getTime() - 47 * 3_600_000).toISOString(),
      'disk.encryption': true,
    });
    await create(tenant, {
      name: 'Recent',
      rule: { condition: 'backup.last_success', operator: 'newer_than', value: '2d' },
    });
    await create(tenant, { name: 'Disk', rule: { ...encrypted, condition: 'disk.encryption' } });
    expect(await judged(tenant, node)).toMatchObject({ score: 100, violations: 0 });
    await panel.clock.advance(3_700_000);
    const later = await signedIn(tenant);
    await until(async () => (await judged(later, node)).violations === 1, 'the backup to be too old');
    await until(async () => {
      const [row] = await panel.sql(
        'select 1 from governance.node where id = $1 and offline_since is not null',
        [node.id],
      );
      return row !== undefined;
    }, 'the node to be known as offline');
    await panel.clock.advance(25 * 3_600_000);
    const muchLater = await signedIn(tenant);
    await until(async () => (await judged(muchLater, node)).score === null, 'the node not to be believed');
    const { policyResults } = await judged(muchLater, node);
    expect(policyResults?.map(({ status }) => status)).toEqual(['UNKNOWN', 'UNKNOWN']);
    await node.beat();
    await until(async () => (await judged(muchLater, node)).score === 50, 'the node to be believed again');
  });

  test('know whether a node beats from its enrollment on', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    await known(node, 'instance.status', 'offline');
    await create(tenant, {
      name: 'Online',
      rule: { condition: 'instance.status', operator: 'equals', value: 'online' },
    });
    expect(await judged(tenant, node)).toMatchObject({ score: 0, violations: 1 });
    await node.beat();
    await until(async () => (await judged(tenant, node)).score === 100, 'the node to be known as online');
  });

  test('of a node that tells a time at the end of the calendar stand for good', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, { 'backup.last_success': '9999-12-31T23:59:59Z' });
    await create(tenant, {
      name: 'Recent',
      rule: { condition: 'backup.last_success', operator: 'newer_than', value: '2d' },
    });
    expect(await judged(tenant, node)).toMatchObject({ score: 100, violations: 0 });
  });

  test('follow the rule that is in force, whatever was about to be and was undone', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, { 'backup.encryption': true, 'disk.encryption': false });
    const id = await create(tenant, { name: 'P', rule: encrypted });
    await panel.sql(`create function public.test_undo() returns trigger language plpgsql as $$ begin
      if new.name = 'Undone' then raise exception 'undone'; end if; return new; end $$`);
    await panel.sql(`create constraint trigger test_undo after update on governance.policy deferrable initially deferred
      for each row execute function public.test_undo()`);
    const change = async (input: Record<string, unknown>) =>
      tenant.graphql<object>(
        'mutation ($id: ID!, $input: UpdatePolicyInput!) { updatePolicy(id: $id, input: $input) { id } }',
        { id, input },
      );
    const undone = await change({ name: 'Undone', rule: { ...encrypted, condition: 'disk.encryption' } });
    expect(refusal(undone)).toMatchObject({ code: 'INTERNAL' });
    expect((await judged(tenant, node)).policyResults).toMatchObject([{ status: 'PASS' }]);
    // Another rule has the number of the version that came to nothing.
    dataOf(await change({ rule: { ...encrypted, operator: 'not_equals', value: false } }));
    expect((await judged(tenant, node)).policyResults).toMatchObject([{ status: 'PASS' }]);
  });

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

  test('of a tenant that cannot be judged keep no other tenant waiting, and follow once it can', async () => {
    const [broken, other] = [await panel.world.tenant(), await panel.world.tenant()];
    const nodes = [];
    for (const tenant of [broken, other]) {
      nodes.push(await nodeWith(tenant, { 'backup.encryption': true }));
      await create(tenant, { name: 'P', rule: encrypted });
    }
    await panel.sql(`create function public.test_broken() returns trigger language plpgsql as $$ begin
      raise exception 'broken'; end $$`);
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
        `select pending_since is not null as pending, (select bool_or(due_at is not null) from governance.node n
           where n.tenant_id = s.tenant_id) as due from governance.standing s where tenant_id = $1`,
        [tenant.id],
      );
      return row;
    };
    const isDone = { pending: false, due: false };
    await expect.poll(async () => waiting(other), { timeout: 60_000 }).toEqual(isDone);
    expect(await waiting(broken)).toEqual({ pending: true, due: true });
    await panel.sql('drop function public.test_broken() cascade');
    await panel.clock.advance(5 * 60_000);
    await expect.poll(async () => waiting(broken), { timeout: 60_000 }).toEqual(isDone);
    expect(await judged(await signedIn(broken), nodes[0]!)).toMatchObject({ score: 100 });
  });
});
