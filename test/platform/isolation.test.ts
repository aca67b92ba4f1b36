import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import type { Node, Tenant } from '../support/world.js';

/* What test/security/isolation.test.ts does not ask: it goes over every operation, route and entity. */

let panel: TestPanel;
let victim: Tenant;
let stranger: Tenant;
let node: Node;

beforeAll(async () => {
  panel = await startTestPanel();
  victim = await panel.world.tenant('Victim Ltd');
  stranger = await panel.world.tenant('Stranger Ltd');
  node = await victim.node('victim-node-01');
});
afterAll(async () => panel.stop());

test('the search finds nothing of another tenant', async () => {
  expect((await stranger.rest('/api/fleet/instances?q=victim')).body).toEqual([]);
  expect((await victim.rest<unknown[]>('/api/fleet/instances?q=victim')).body).toHaveLength(1);
});

test("a cursor of another tenant's list opens nothing", async () => {
  const cursor = Buffer.from(node.id).toString('base64url');
  const before = Buffer.from('inst_00000000000000000000000000').toString('base64url');
  for (const after of [cursor, before]) {
    const answer = await stranger.graphql(
      'query($after: String) { instances(after: $after) { nodes { id } totalCount } }',
      { after },
    );
    expect(dataOf(answer)).toEqual({ instances: { nodes: [], totalCount: 0 } });
  }
});

test('entities are not for clients', async () => {
  const answer = await stranger.graphql(
    `{ _entities(representations: [{ __typename: "Instance", id: "${node.id}" }]) { __typename } }`,
  );
  expect(refusal(answer)).toEqual({ code: 'BAD_REQUEST' });
});

test('a node sees of its tenant what it is allowed to, and of others nothing', async () => {
  const other = await stranger.node('stranger-node-01');
  const answer = await panel.world.graphql('{ tenant { id name } }', {}, other.credential);
  expect(dataOf(answer)).toEqual({ tenant: { id: stranger.id, name: 'Stranger Ltd' } });
  const fleet = await panel.world.graphql('{ instances { nodes { id } } }', {}, other.credential);
  expect(refusal(fleet)).toMatchObject({ code: 'FORBIDDEN' });
});
