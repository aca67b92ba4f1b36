import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { dataOf, refusal } from '../support/answers.js';
import { Live } from '../support/live.js';
import { until } from '../support/world.js';
import {
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
  start,
  sync,
  update,
} from './support/gitops.js';
import { create, encrypted, nodeWith } from './support/tenant.js';

beforeAll(async () => start());
afterAll(async () => panel.stop());
beforeEach(newRepository);
afterEach(forgetRepository);

describe('drift', () => {
  test('is shown, and is healed where that is wanted', async () => {
    const tenant = await paying();
    const sha = await git.commit({ 'a.yaml': policy('Encrypted') });
    const id = await connected(tenant);
    await inForce(tenant, id, sha);
    const [made] = await policies(tenant);
    const change = async () =>
      call(tenant, 'mutation ($id: ID!) { updatePolicy(id: $id, input: { severity: CRITICAL }) { id } }', {
        id: made?.id,
      });
    await change();
    await refresh(tenant, id);
    const drifted = await seen(tenant, id, ({ syncStatus }) => syncStatus === 'OUT_OF_SYNC', 'the drift');
    expect(drifted.changes).toEqual([
      {
        action: 'UPDATE',
        kind: 'Policy',
        name: 'Encrypted',
        heldBack: null,
        differences: [{ field: 'severity', actual: 'CRITICAL', declared: 'MEDIUM' }],
      },
    ]);
    expect((await policies(tenant))[0]?.severity).toBe('CRITICAL');
    await update(tenant, id, { selfHeal: true });
    await seen(tenant, id, ({ syncStatus }) => syncStatus === 'SYNCED', 'it to be healed');
    expect((await policies(tenant))[0]?.severity).toBe('MEDIUM');
    await call(tenant, 'mutation ($id: ID!) { deletePolicy(id: $id) { id } }', { id: made?.id });
    await panel.clock.advance(181_000);
    await until(async () => (await names(tenant)).length === 1, 'what was removed to be made again');
  });

  test('is told live', async () => {
    const tenant = await paying();
    const sha = await git.commit({ 'a.yaml': policy('Encrypted') });
    await using live = new Live<{
      gitOpsConfigChanged: { syncStatus: string; lastSyncedCommit: string | null };
    }>(panel.panel.url, tenant.token, 'subscription { gitOpsConfigChanged { syncStatus lastSyncedCommit } }');
    await live.opened();
    await connected(tenant);
    await until(
      async () => live.results.some(({ data }) => data?.gitOpsConfigChanged.lastSyncedCommit === sha),
      'the change to be told',
    );
    expect(live.results.at(-1)?.data?.gitOpsConfigChanged.syncStatus).toBe('SYNCED');
  });
});

describe('what is declared no more', () => {
  const both = { 'a.yaml': policy('Encrypted'), 'b.yaml': policy('Kept') };
  const one = { 'b.yaml': policy('Kept') };

  test('stays, and is told, unless pruning is on; what came from elsewhere always stays', async () => {
    const tenant = await paying();
    await create(tenant, { name: 'By hand', rule: encrypted });
    await git.commit(both);
    const id = await connected(tenant);
    await inForce(tenant, id, await git.head());
    await git.commit(one);
    await refresh(tenant, id);
    const config = await seen(tenant, id, ({ syncStatus }) => syncStatus === 'OUT_OF_SYNC', 'what is left');
    expect(config.changes).toEqual([
      {
        action: 'DELETE',
        kind: 'Policy',
        name: 'Encrypted',
        differences: [],
        heldBack: expect.stringContaining('Pruning is off') as string,
      },
    ]);
    expect(await names(tenant)).toEqual(['By hand', 'Encrypted', 'Kept']);
    await update(tenant, id, { prune: true });
    await inForce(tenant, id, await git.head());
    expect(await names(tenant)).toEqual(['By hand', 'Kept']);
  });

  test('is told by the history of commits, which can be read to its first one', async () => {
    const tenant = await paying();
    const first = await git.commit(both);
    const id = await connected(tenant);
    await inForce(tenant, id, first);
    const second = await git.commit(one);
    await refresh(tenant, id);
    await seen(tenant, id, ({ lastSeenCommit }) => lastSeenCommit === second, 'the second one');
    const commits = async (after: string | null) => {
      const answer = await tenant.graphql<{ gitOpsConfig: { commits: { sha: string }[] } }>(
        'query ($id: ID!, $after: ID) { gitOpsConfig(id: $id) { commits(first: 1, after: $after) { sha } } }',
        { id, after },
      );
      return dataOf(answer).gitOpsConfig.commits.map(({ sha }) => sha);
    };
    expect([await commits(null), await commits(second), await commits(first)]).toEqual([
      [second],
      [first],
      [],
    ]);
  });

  test('stays when the repository is emptied, or its history written anew, until somebody says so', async () => {
    const tenant = await paying();
    await git.commit(both);
    const id = await connected(tenant, { prune: true });
    await inForce(tenant, id, await git.head());
    const empty = await git.commit({ 'README.md': 'gone' });
    await refresh(tenant, id);
    await seen(tenant, id, ({ lastSeenCommit }) => lastSeenCommit === empty, 'the empty commit');
    expect(await names(tenant)).toEqual(['Encrypted', 'Kept']);

    await git.beginAnew();
    const anew = await git.commit(one, { force: true });
    await refresh(tenant, id);
    const config = await seen(tenant, id, ({ lastSeenCommit }) => lastSeenCommit === anew, 'the new history');
    expect(config.changes).toEqual([
      expect.objectContaining({
        action: 'DELETE',
        heldBack: expect.stringContaining('written anew') as string,
      }),
    ]);
    // Nor by a commit on top of it.
    const next = await git.commit({ ...one, 'c.yaml': policy('New') });
    await refresh(tenant, id);
    await seen(tenant, id, ({ lastSeenCommit }) => lastSeenCommit === next, 'the next commit');
    expect(await names(tenant)).toEqual(['Encrypted', 'Kept', 'New']);
    await sync(tenant, id, true);
    await inForce(tenant, id, next);
    expect(await names(tenant)).toEqual(['Kept', 'New']);
  });

  test('of another repository is not touched, and a thing is of one repository only', async () => {
    const tenant = await paying();
    await git.commit({ 'a/a.yaml': policy('Encrypted'), 'b/b.yaml': policy('encrypted') });
    const first = await connected(tenant, { name: 'First', path: 'a' });
    await inForce(tenant, first, await git.head());
    const second = await connected(tenant, { name: 'Second', path: 'b', prune: true });
    const config = await seen(tenant, second, ({ health }) => health === 'DEGRADED', 'the conflict');
    expect(config.problems).toEqual([
      {
        file: 'b/b.yaml',
        line: 1,
        message: 'Policy encrypted is declared by another repository of the tenant',
      },
    ]);
    expect(await names(tenant)).toEqual(['Encrypted']);
  });

  test('stays when the repository itself is forgotten, which is told live', async () => {
    const tenant = await paying();
    await git.commit(both);
    const id = await connected(tenant, { prune: true });
    await inForce(tenant, id, await git.head());
    const query = 'subscription { gitOpsConfigRemoved { id name } }';
    await using live = new Live<object>(panel.panel.url, tenant.token, query);
    await live.opened();
    await call(tenant, 'mutation ($id: ID!) { deleteGitOpsConfig(id: $id) { id } }', { id });
    await until(async () => live.results.length > 0, 'its end to be told');
    expect(live.results.map(({ data }) => data)).toEqual([{ gitOpsConfigRemoved: { id, name: 'Fleet' } }]);
    expect(await names(tenant)).toEqual(['Encrypted', 'Kept']);
    expect(
      refusal(await tenant.graphql('query ($id: ID!) { gitOpsConfig(id: $id) { id } }', { id })),
    ).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('what is meant to stay', () => {
  test('as people left it stays so without self-heal, whatever else is held back', async () => {
    const tenant = await paying();
    await git.commit({ 'a.yaml': policy('Encrypted'), 'b.yaml': policy('Kept') });
    const id = await connected(tenant);
    await inForce(tenant, id, await git.head());
    await git.commit({ 'b.yaml': policy('Kept') });
    await refresh(tenant, id);
    await seen(tenant, id, ({ changes }) => changes.length === 1, 'the removal that is held back');
    const kept = (await policies(tenant)).find(({ name }) => name === 'Kept');
    await call(
      tenant,
      'mutation ($id: ID!) { updatePolicy(id: $id, input: { severity: CRITICAL }) { id } }',
      {
        id: kept?.id,
      },
    );
    await refresh(tenant, id);
    await seen(tenant, id, ({ changes }) => changes.length === 2, 'the drift');
    expect((await policies(tenant)).find(({ name }) => name === 'Kept')?.severity).toBe('CRITICAL');
  });

  test('stays when another folder is read, and when the branch goes back, although pruning is on', async () => {
    const tenant = await paying();
    const first = await git.commit({ 'a/a.yaml': policy('A'), 'b/b.yaml': policy('B') });
    const id = await connected(tenant, { path: 'a', prune: true });
    await inForce(tenant, id, first);
    await update(tenant, id, { path: 'b' });
    const moved = await seen(tenant, id, ({ changes }) => changes.length === 1, 'what is read no more');
    expect(moved.changes).toEqual([
      expect.objectContaining({ name: 'A', heldBack: expect.stringContaining('written anew') as string }),
    ]);
    expect(await names(tenant)).toEqual(['A', 'B']);
    await sync(tenant, id, true);
    await inForce(tenant, id, first);
    const second = await git.commit({ 'b/b.yaml': policy('B'), 'b/c.yaml': policy('C') });
    await refresh(tenant, id);
    await inForce(tenant, id, second);
    await git.goBack(first);
    await refresh(tenant, id);
    await seen(tenant, id, ({ lastSeenCommit }) => lastSeenCommit === first, 'the branch that went back');
    expect(await names(tenant)).toEqual(['B', 'C']);
  });

  test('of a group is its kind: one that is declared otherwise is told, and nothing of it is taken away', async () => {
    const tenant = await paying();
    const node = await nodeWith(tenant, { 'backup.encryption': true });
    await call(
      tenant,
      'mutation ($input: CreateInstanceGroupInput!) { createInstanceGroup(input: $input) { id } }',
      {
        input: { name: 'web servers', kind: 'STATIC', instanceIds: [node.id] },
      },
    );
    await git.commit({ 'a.yaml': group });
    const id = await connected(tenant, { prune: true });
    const config = await seen(tenant, id, ({ health }) => health === 'DEGRADED', 'the refusal');
    expect(config.lastError).toBe(
      'a.yaml:1: The group Web servers is STATIC, and is declared LIVE: rename one of them',
    );
  });
});
