import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { dataOf } from '../support/answers.js';
import { until, type Tenant } from '../support/world.js';
import {
  alertRule,
  call,
  connected,
  forgetRepository,
  git,
  group,
  inForce,
  names,
  newRepository,
  panel,
  paying,
  policies,
  policy,
  refresh,
  seen,
  shown,
  start,
  sync,
  update,
} from './support/gitops.js';
import { create, encrypted, nodeWith } from './support/tenant.js';

beforeAll(async () => start());
afterAll(async () => panel.stop());
beforeEach(newRepository);
afterEach(forgetRepository);

describe('a commit', { timeout: 180_000 }, () => {
  test('is in force within a poll, whatever it declares, with its author in the history', async () => {
    const tenant = await paying();
    const first = await git.commit({ 'fleet/a.yaml': policy('Encrypted'), 'README.md': '# not read' });
    const id = await connected(tenant, { path: 'fleet' });
    await inForce(tenant, id, first);
    expect(await names(tenant)).toEqual(['Encrypted']);

    const second = await git.commit(
      {
        'fleet/a.yaml': `${policy('Encrypted', '  severity: high')}---\n${group}`,
        'fleet/deep/er/rules.yml': alertRule,
      },
      { message: 'Higher\n\nand more', author: 'Grace Hopper' },
    );
    await panel.clock.advance(181_000);
    const config = await inForce(tenant, id, second);
    expect(await policies(tenant)).toEqual([
      expect.objectContaining({ name: 'Encrypted', severity: 'HIGH' }),
    ]);
    const answer = await tenant.graphql<{
      instanceGroups: { nodes: unknown[] };
      alertRules: { kind: string; threshold: number | null; severity: string }[];
    }>('{ instanceGroups { nodes { name kind filter { tags } } } alertRules { kind threshold severity } }');
    expect(dataOf(answer).instanceGroups.nodes).toEqual([
      { name: 'Web servers', kind: 'LIVE', filter: { tags: ['web'] } },
    ]);
    expect(dataOf(answer).alertRules).toContainEqual({ kind: 'CPU', threshold: 42, severity: 'WARNING' });
    expect(config.commits).toEqual([
      { sha: second, author: 'Grace Hopper', subject: 'Higher', outcome: 'SYNCED', changed: 3 },
      { sha: first, author: 'Ada Lovelace', subject: 'A change', outcome: 'SYNCED', changed: 1 },
    ]);
    expect(config.health).toBe('HEALTHY');
  });

  test('may be for groups by their names, those of the same commit too, and says where there is none', async () => {
    const tenant = await paying();
    const grouped = policy('Encrypted', '  applies_to: {groups: [WEB servers]}');
    const id = await connected(tenant, { autoSync: true });
    const faulty = await git.commit({ 'a.yaml': policy('Encrypted', '  applies_to: {groups: [Nobody]}') });
    await refresh(tenant, id);
    const refused = await seen(tenant, id, ({ problems }) => problems.length > 0, 'the group to be missed');
    expect(refused).toMatchObject({
      lastSeenCommit: faulty,
      problems: [{ file: 'a.yaml', line: 1, message: expect.stringContaining('There is no group nobody') }],
    });
    const sha = await git.commit({ 'a.yaml': `${grouped}---\n${group}` });
    await refresh(tenant, id);
    await until(
      async () => {
        await panel.clock.advance(5_000);
        return (await shown(tenant, id)).lastSyncedCommit === sha;
      },
      'it to be in force',
      90_000,
    );
    const answer = await tenant.graphql<{
      policies: { nodes: { appliesTo: { group_ids: string[] } }[] };
      instanceGroups: { nodes: { id: string }[] };
    }>('{ policies { nodes { appliesTo } } instanceGroups { nodes { id } } }');
    const { policies: found, instanceGroups } = dataOf(answer);
    expect(found.nodes[0]?.appliesTo).toEqual({ group_ids: [instanceGroups.nodes[0]!.id] });
    // Looked at again it is what is declared.
    await refresh(tenant, id);
    await inForce(tenant, id, sha);
  });

  test('waits for somebody where it is not put into force by itself, and the plan says what it would do', async () => {
    const tenant = await paying();
    await create(tenant, { name: 'encrypted', rule: encrypted, severity: 'LOW' });
    const sha = await git.commit({ 'a.yaml': `${policy('Encrypted')}---\n${group}` });
    const id = await connected(tenant, { autoSync: false });
    const config = await seen(tenant, id, ({ syncStatus }) => syncStatus === 'OUT_OF_SYNC', 'a plan');
    expect(config.changes).toEqual([
      {
        action: 'UPDATE',
        kind: 'Policy',
        name: 'Encrypted',
        heldBack: null,
        differences: [
          { field: 'name', actual: 'encrypted', declared: 'Encrypted' },
          { field: 'severity', actual: 'LOW', declared: 'MEDIUM' },
        ],
      },
      { action: 'CREATE', kind: 'InstanceGroup', name: 'Web servers', heldBack: null, differences: [] },
    ]);
    expect(config.commits[0]?.outcome).toBe('SEEN');
    expect(await names(tenant)).toEqual(['encrypted']);
    await sync(tenant, id);
    await sync(tenant, id);
    await inForce(tenant, id, sha);
    expect(await names(tenant)).toEqual(['Encrypted']);
  });

  test('that is broken leaves what was good in force, and is told with file and line', async () => {
    const tenant = await paying();
    const good = await git.commit({ 'a.yaml': policy('Encrypted') });
    const id = await connected(tenant);
    await inForce(tenant, id, good);
    const bad = await git.commit({
      'a.yaml': policy('Encrypted', '  severity: severe'),
      'b/c.yaml': `# a comment\n${policy('Other').replace('backup.encryption', 'backup.encription')}`,
      'd.yaml': 'a: [1, 2',
      'e.yaml': `a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [${'*a,'.repeat(30)}]\nc: [${'*b,'.repeat(30)}]`,
      'f.yaml': 'a: &a [*a]',
      'g.yaml': policy('Cut').replace('backup.encryption', `${'a'.repeat(99)}😀`),
    });
    await refresh(tenant, id);
    const config = await seen(tenant, id, ({ lastSeenCommit }) => lastSeenCommit === bad, 'it to be seen');
    expect(config).toMatchObject({ syncStatus: 'UNKNOWN', health: 'DEGRADED', lastSyncedCommit: good });
    expect(config.problems).toEqual([
      { file: 'a.yaml', line: 7, message: 'spec.severity: It is one of low, medium, high, critical' },
      {
        file: 'b/c.yaml',
        line: 7,
        message: expect.stringContaining('did you mean backup.encryption') as string,
      },
      { file: 'd.yaml', line: 1, message: expect.stringContaining('end with a ]') as string },
      { file: 'e.yaml', line: expect.any(Number), message: expect.stringContaining('alias') as string },
      { file: 'f.yaml', line: null, message: expect.any(String) },
      { file: 'g.yaml', line: 6, message: expect.stringContaining(`There is no fact ${'a'.repeat(99)}`) },
    ]);
    expect(config.commits[0]).toMatchObject({ sha: bad, outcome: 'REJECTED' });
    expect(await names(tenant)).toEqual(['Encrypted']);
    const { body } =
      await tenant.rest<{ last_error: string; sync_status: string; health: string }[]>(
        '/api/governance/gitops',
      );
    expect(body[0]).toMatchObject({
      sync_status: 'unknown',
      health: 'degraded',
      last_error: config.lastError,
    });
    expect(config.lastError).toMatch(/^a\.yaml:7: spec\.severity: /);
    // It stays so at each look, and the next good one mends it.
    const mended = await git.commit({ 'a.yaml': policy('Encrypted', '  severity: low') });
    await refresh(tenant, id);
    expect(await inForce(tenant, id, mended)).toMatchObject({ health: 'HEALTHY', problems: [] });
  });

  test('whose resource the panel refuses puts the others into force, and tells of it at its place', async () => {
    const tenant = await paying();
    const refused = group.replace('filter: {tags: [web]}', 'instance_ids: [inst_01m8k92t1sf249450kzv7aaaaa]');
    await git.commit({ 'a.yaml': `${refused}---\n${policy('Encrypted')}` });
    const id = await connected(tenant);
    const config = await seen(tenant, id, ({ health }) => health === 'DEGRADED', 'the refusal');
    expect(config.problems).toEqual([
      {
        file: 'a.yaml',
        line: 1,
        message:
          'InstanceGroup Web servers: spec.instance_ids: There is no instance inst_01m8k92t1sf249450kzv7aaaaa',
      },
    ]);
    expect(config).toMatchObject({ syncStatus: 'OUT_OF_SYNC', lastSyncedCommit: null });
    expect(config.commits[0]?.outcome).toBe('FAILED');
    expect(await names(tenant)).toEqual(['Encrypted']);
    // It is tried again some times, and stays told afterwards; the others go on being looked after.
    const told = 'It was refused 5 times';
    await until(async () => {
      await refresh(tenant, id);
      return (await shown(tenant, id)).changes[0]?.heldBack?.startsWith(told) === true;
    }, 'the last try');
    expect(await shown(tenant, id)).toMatchObject({ health: 'DEGRADED', lastError: config.lastError });
    await update(tenant, id, { selfHeal: true });
    await call(tenant, 'mutation ($id: ID!) { deletePolicy(id: $id) { id } }', {
      id: (await policies(tenant))[0]?.id,
    });
    await refresh(tenant, id);
    await until(async () => (await names(tenant)).length === 1, 'the policy to be made again');
  });

  test('that declares what the panel never heard of is refused with words', async () => {
    const tenant = await paying();
    await git.commit({ 'a.yaml': alertRule.replace('cpu', 'moon') });
    const id = await connected(tenant);
    const config = await seen(tenant, id, ({ health }) => health === 'DEGRADED', 'the refusal');
    expect(config).toMatchObject({
      lastError: 'a.yaml:1: There is no AlertRule MOON',
      lastSyncedCommit: null,
    });
  });
});

describe('a desired version', { timeout: 180_000 }, () => {
  const version = (text: string, more = '') => `apiVersion: v1
kind: DesiredVersion
metadata: {name: "All of them, même"}
spec:
  version: "${text}"
  steps: [{percent: 50, bake_seconds: 60}]
${more}`;
  const canaries = async (tenant: Tenant) => {
    const answer = await tenant.graphql<{ canaries: { nodes: unknown[] } }>(
      '{ canaries { nodes { name instances { target } } } }',
    );
    return dataOf(answer).canaries.nodes;
  };

  test('for a group that the same commit declares comes to it as soon as that is known, without self-heal', async () => {
    const tenant = await paying();
    const node = await nodeWith(tenant, { 'backup.encryption': true });
    await nodeWith(tenant, { 'backup.encryption': true });
    await call(tenant, 'mutation ($input: UpdateInstanceInput!) { updateInstance(input: $input) { id } }', {
      input: { id: node.id, tags: ['web'] },
    });
    await until(
      async () =>
        (await panel.sql(`select 1 from governance.node where id = $1 and tags = '{web}'`, [node.id]))
          .length > 0,
      'the tag to be known',
    );
    const grouped = version('0.3.0', '  applies_to: {groups: [WEB servers]}\n');
    const sha = await git.commit({ 'a.yaml': `${grouped}---\n${group}` });
    const id = await connected(tenant);
    await until(
      async () => {
        await panel.clock.advance(5_000);
        return (await canaries(tenant)).length > 0;
      },
      'the canary',
      90_000,
    );
    expect(await canaries(tenant)).toEqual([{ name: 'All of them, même: 0.3.0', instances: { target: 1 } }]);
    await seen(tenant, id, ({ lastSyncedCommit }) => lastSyncedCommit === sha, 'it to be in force');
  });

  test('for a group that there is not is in force for nobody, and told at its place', async () => {
    const tenant = await paying();
    await nodeWith(tenant, { 'backup.encryption': true });
    await git.commit({ 'a.yaml': version('0.3.0', '  applies_to: {groups: [Nobody]}\n') });
    const id = await connected(tenant);
    const config = await seen(tenant, id, ({ problems }) => problems.length > 0, 'the group to be missed');
    expect(config).toMatchObject({
      syncStatus: 'OUT_OF_SYNC',
      health: 'DEGRADED',
      lastSyncedCommit: null,
      problems: [{ file: 'a.yaml', line: 1, message: expect.stringContaining('There is no group nobody') }],
      changes: [
        {
          kind: 'DesiredVersion',
          differences: [{ field: 'appliesTo', actual: { groups: [] }, declared: { groups: ['nobody'] } }],
        },
      ],
    });
    expect(await canaries(tenant)).toEqual([]);
  });

  test('comes to instances by one canary, however often it is looked at', async () => {
    const tenant = await paying();
    await nodeWith(tenant, { 'backup.encryption': true });
    await nodeWith(tenant, { 'backup.encryption': true });
    await git.commit({ 'a.yaml': version('0.3.0') });
    const id = await connected(tenant);
    const config = await seen(
      tenant,
      id,
      ({ health }) => health === 'PROGRESSING',
      'the canary to be under way',
    );
    expect(config.syncStatus).toBe('SYNCED');
    await refresh(tenant, id);
    const held = await seen(tenant, id, ({ changes }) => changes.length > 0, 'the change that is held back');
    expect(held.changes).toEqual([
      {
        action: 'UPDATE',
        kind: 'DesiredVersion',
        name: 'All of them, même',
        differences: [{ field: 'version', actual: '0.2.9', declared: '0.3.0' }],
        heldBack: expect.stringMatching(/^The canary can_\w+ is under way$/) as string,
      },
    ]);
    const answer = await tenant.graphql<{ canaries: { nodes: unknown[] } }>(
      '{ canaries { nodes { name params } } }',
    );
    expect(dataOf(answer).canaries.nodes).toEqual([
      { name: 'All of them, même: 0.3.0', params: { version: '0.3.0' } },
    ]);
  });
});
