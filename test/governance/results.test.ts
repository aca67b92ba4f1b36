import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf, refusal } from '../support/answers.js';
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
    const [row] = await panel.sql<{ motd: string }>(
      `select facts->>'custom.motd' as motd from governance.node where id = $1`,
      [node.id],
    );
    expect(row?.motd).toBe('a'.repeat(999));
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
});
