import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { Node, type Tenant } from '../../support/world.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const rotate = async (tenant: Tenant, id: string) =>
  tenant.graphql<{ rotateInstanceCredential: { isCredentialRotating: boolean } }>(
    'mutation($id: ID!) { rotateInstanceCredential(id: $id) { isCredentialRotating } }',
    { id },
  );

/** A beat, and the credential that came with its answer. */
async function beat(node: Node): Promise<{ status: number; credential: string | undefined }> {
  await panel.clock.advance(1_000);
  const { status, body } = await node.beat();
  return { status, credential: body['credential'] as string | undefined };
}

const holding = (node: Node, credential: string) => new Node(panel.world, node.name, node.id, credential);

const comeback = async (tenant: Tenant, instanceId: string) =>
  tenant.graphql<{ createReenrollmentToken: { token: string; enrollmentToken: unknown } }>(
    `mutation($instanceId: ID!) { createReenrollmentToken(instanceId: $instanceId) {
       token enrollmentToken { instanceId maxUses } } }`,
    { instanceId },
  );
const enroll = async (token: string) =>
  panel.world.rest<{ instance_id: string; credential: string }>('/api/agent/enroll', {
    body: { token, name: 'ignored', hostname: 'new.example.com', version: '0.3.0' },
  });

describe('rotation', () => {
  test('the old credential counts until the new one was used, and then no more', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    expect((await beat(node)).credential).toBeUndefined();
    expect(dataOf(await rotate(tenant, node.id)).rotateInstanceCredential).toEqual({
      isCredentialRotating: true,
    });
    const offered = await beat(node);
    const next = holding(node, offered.credential ?? '');
    const used = await beat(next);
    const old = await beat(node);
    expect([offered.status, used, old]).toEqual([
      200,
      { status: 200, credential: undefined },
      { status: 401, credential: undefined },
    ]);
    const { instance } = dataOf(
      await tenant.graphql<{ instance: unknown }>(
        'query($id: ID!) { instance(id: $id) { isCredentialRotating status } }',
        { id: node.id },
      ),
    );
    expect(instance).toEqual({ isCredentialRotating: false, status: 'HEALTHY' });
  });

  test('a node that crashed before it had stored the new one goes on with the old one and is offered it again', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    await rotate(tenant, node.id);
    const lost = await beat(node);
    const again = await beat(node);
    expect([lost.credential, again.credential].every((credential) => credential !== undefined)).toBe(true);
    expect((await beat(holding(node, again.credential!))).status).toBe(200);
    // They are the same generation: whichever of them it has stored counts.
    expect((await beat(holding(node, lost.credential!))).status).toBe(200);
    expect((await beat(node)).status).toBe(401);
  });

  test('asking twice is one exchange, and another one may follow', async () => {
    const tenant = await panel.world.tenant();
    let node = await tenant.node();
    for (let round = 0; round < 2; round += 1) {
      await rotate(tenant, node.id);
      await rotate(tenant, node.id);
      const { credential } = await beat(node);
      const next = holding(node, credential!);
      expect((await beat(next)).status).toBe(200);
      expect((await beat(node)).status).toBe(401);
      node = next;
    }
  });

  test("another tenant's node is not found", async () => {
    const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
    expect(refusal(await rotate(tenant, (await other.node()).id))).toEqual({ code: 'NOT_FOUND' });
  });
});

describe('re-enrolling', () => {
  test('a node comes back as the instance it was, and whoever had its credential is refused', async () => {
    const tenant = await panel.world.tenant();
    for (let index = 0; index < 4; index += 1) await tenant.node();
    const node = await tenant.node('phoenix');
    await beat(node);
    const { createReenrollmentToken: made } = dataOf(await comeback(tenant, node.id));
    expect(made.enrollmentToken).toEqual({ instanceId: node.id, maxUses: 1 });
    expect((await beat(node)).status, 'nothing has changed yet').toBe(200);
    // The fleet is full; it takes no new place.
    const back = await enroll(made.token);
    expect([back.status, back.body.instance_id]).toEqual([201, node.id]);
    expect([
      (await beat(node)).status,
      (await beat(holding(node, back.body.credential))).status,
      (await enroll(made.token)).status,
    ]).toEqual([401, 200, 401]);
    const { body } = await tenant.rest(`/api/fleet/instances/${node.id}`);
    expect(body).toMatchObject({ id: node.id, name: 'phoenix', hostname: 'new.example.com' });
  });

  test('not after it was decommissioned, and not for another tenant’s', async () => {
    const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
    const [node, foreign] = [await tenant.node(), await other.node()];
    const { createReenrollmentToken: made } = dataOf(await comeback(tenant, node.id));
    await tenant.rest(`/api/fleet/instances/${node.id}`, { method: 'DELETE' });
    const back = await enroll(made.token);
    expect({ status: back.status, body: back.body }).toEqual({
      status: 401,
      body: { error: 'The enrollment token was revoked' },
    });
    expect(refusal(await comeback(tenant, foreign.id))).toEqual({ code: 'NOT_FOUND' });
  });
});

describe('a credential in two hands', () => {
  test('rotating hands the new one to both, and leaves the one behind who did not beat; re-enrolling puts the thief out', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    await rotate(tenant, node.id);
    const thief = holding(node, (await beat(node)).credential!);
    const asWell = holding(node, (await beat(node)).credential!);
    expect([await beat(thief), await beat(asWell), await beat(node)].map(({ status }) => status)).toEqual([
      200, 200, 401,
    ]);
    // What waits from a rotation ends with the rest.
    await rotate(tenant, node.id);
    const waiting = holding(node, (await beat(thief)).credential!);
    const { createReenrollmentToken: made } = dataOf(await comeback(tenant, node.id));
    const { body } = await enroll(made.token);
    const back = holding(node, body.credential);
    expect(
      [await beat(back), await beat(thief), await beat(asWell), await beat(waiting)].map(
        ({ status }) => status,
      ),
    ).toEqual([200, 401, 401, 401]);
  });

  test('decommissioning refuses every credential at once, one that waits from a rotation too', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    await rotate(tenant, node.id);
    const waiting = holding(node, (await beat(node)).credential!);
    await tenant.rest(`/api/fleet/instances/${node.id}`, { method: 'DELETE' });
    expect([(await beat(node)).status, (await beat(waiting)).status]).toEqual([401, 401]);
  });

  const isDuplicate = async (tenant: Tenant, { id }: Node) => {
    const { instance, instances } = dataOf(
      await tenant.graphql<{
        instance: { isDuplicate: boolean };
        instances: { nodes: { isDuplicate: boolean }[] };
      }>('query($id: ID!) { instance(id: $id) { isDuplicate } instances { nodes { isDuplicate } } }', { id }),
    );
    expect(instances.nodes, 'the list says the same').toEqual([instance]);
    return instance.isDuplicate;
  };
  const at = async (node: Node, sequence: number) => {
    await panel.clock.advance(15_000);
    await node.beat({ sequence });
  };

  test('a copied node is flagged once the sequences have crossed three times, and no longer when it is gone', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    const seen: boolean[] = [];
    await at(node, 1);
    for (let step = 1001; step < 1004; step += 1) {
      await at(node, step);
      await at(node, step);
      seen.push(await isDuplicate(tenant, node));
    }
    for (let step = 1004; step < 1006; step += 1) await at(node, step);
    seen.push(await isDuplicate(tenant, node));
    await panel.clock.advance(10 * 60_000);
    seen.push(await isDuplicate(tenant, node));
    expect(seen).toEqual([false, false, true, true, false]);
  });

  test('ten restarts are no copies, and two agents that take turns on one credential are', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    for (let run = 0; run < 10; run += 1) for (const sequence of [0, 1, 2]) await at(node, sequence);
    const seen = [await isDuplicate(tenant, node)];
    for (const sequence of [700, 3, 701, 4]) await at(node, sequence);
    seen.push(await isDuplicate(tenant, node));
    await at(node, 702);
    seen.push(await isDuplicate(tenant, node));
    expect(seen).toEqual([false, false, true]);
  });

  test('restarts, and one step back to a restored backup, are no copies', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    for (const sequence of [5, 6, 1001, 1002, 2001, 7, 8, 9, 1001, 1002]) await at(node, sequence);
    expect(await isDuplicate(tenant, node)).toBe(false);
  });
});
