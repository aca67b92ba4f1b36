import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf } from '../../support/answers.js';
import { HeldLock } from '../../support/held-lock.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { Node, type Tenant } from '../../support/world.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const rotate = async (tenant: Tenant, id: string) =>
  dataOf(
    await tenant.graphql(
      'mutation($id: ID!) { rotateInstanceCredential(id: $id) { isCredentialRotating } }',
      { id },
    ),
  );
async function comesBack(tenant: Tenant, instanceId: string) {
  const { createReenrollmentToken: made } = dataOf(
    await tenant.graphql<{ createReenrollmentToken: { token: string } }>(
      'mutation($instanceId: ID!) { createReenrollmentToken(instanceId: $instanceId) { token } }',
      { instanceId },
    ),
  );
  return async () =>
    panel.world.rest<{ credential: string }>('/api/agent/enroll', {
      body: { token: made.token, name: 'x', hostname: 'new.example.com', version: '0.3.0' },
    });
}
const generations = async (id: string) => {
  const [row] = await panel.sql<{ current: number; offered: number | null }>(
    'select credential_generation current, candidate_generation offered from fleet.instance where id = $1',
    [id],
  );
  return row;
};

test('a rotation asked for while a node comes back offers what is newer than what the node got', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  await using other = await HeldLock.by(
    panel,
    'update fleet.instance set credential_generation = 5 where id = $1',
    [node.id],
  );
  const asked = rotate(tenant, node.id);
  await other.wanted();
  await other.release();
  await asked;
  expect(await generations(node.id)).toEqual({ current: 5, offered: 6 });
});

test('a node that comes back while a rotation is asked for is given what is newer than both', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  const enroll = await comesBack(tenant, node.id);
  await using other = await HeldLock.by(
    panel,
    'update fleet.instance set candidate_generation = 2 where id = $1',
    [node.id],
  );
  const back = enroll();
  await other.wanted();
  await other.release();
  const { status, body } = await back;
  expect({ status, ...(await generations(node.id)) }).toEqual({ status: 201, current: 3, offered: null });
  await panel.clock.advance(1_000);
  expect((await new Node(panel.world, node.name, node.id, body.credential).beat()).status).toBe(200);
});

test('an offer that was overtaken stands in the way of no other', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  await panel.sql('update fleet.instance set candidate_generation = credential_generation where id = $1', [
    node.id,
  ]);
  await rotate(tenant, node.id);
  await panel.clock.advance(1_000);
  const { body } = await node.beat();
  expect(await generations(node.id)).toEqual({ current: 1, offered: 2 });
  expect(body['credential']).toEqual(expect.any(String));
});

test('decommissioning waits for a node that is coming back before it touches the instance', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  await comesBack(tenant, node.id);
  // As a re-enrollment does: the token first, then the instance.
  await using other = await HeldLock.by(
    panel,
    'update fleet.enrollment_token set uses = uses + 1 where instance_id = $1',
    [node.id],
  );
  const gone = tenant.rest(`/api/fleet/instances/${node.id}`, { method: 'DELETE' });
  await other.wanted();
  expect(
    await other.query('select id from fleet.instance where id = $1 for update nowait', [node.id]),
  ).toEqual([{ id: node.id }]);
  await other.release();
  expect((await gone).status).toBe(204);
});
