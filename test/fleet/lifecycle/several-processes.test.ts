import { describe, expect, onTestFinished, test } from 'vitest';

import { dataOf } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { hasRedis, TestRedis } from '../../support/redis.js';
import { Node, ordinaryBeat, until, World } from '../../support/world.js';

/** Several panels on one database need Redis (Debian's redis-server; .ci/run installs it). */
async function startPanels(): Promise<TestPanel> {
  const redis = await TestRedis.start();
  onTestFinished(() => redis[Symbol.asyncDispose]());
  const panel = await startTestPanel({ REDIS_URL: redis.url });
  onTestFinished(() => panel.stop());
  return panel;
}

const at = ({ url }: { url: string }, node: Node, credential = node.credential) =>
  new Node(new World(url, node.world.clock), node.name, node.id, credential);

/** A call that looks at no row of the node: only the memory of revocations can refuse it. */
const isRefused = async ({ world, credential }: Node) => {
  const { status } = await world.rest('/api/agent/impersonation/redeem', {
    token: credential,
    body: { token: 'none' },
  });
  return status === 401;
};

describe.skipIf(!hasRedis)('several processes', () => {
  test('all refuse the credential of a node that has left, also one that starts later', async () => {
    const panel = await startPanels();
    const tenant = await panel.world.tenant();
    const [gone, left] = [await tenant.node(), await tenant.node()];
    const running = await panel.another();
    await tenant.rest(`/api/fleet/instances/${gone.id}`, { method: 'DELETE' });
    await until(async () => isRefused(at(running, gone)), 'the other process to hear of it');
    const later = await panel.another();
    expect([await isRefused(at(later, gone)), await isRefused(at(later, left))]).toEqual([true, false]);
  });

  test('one that did not hear of it as it happened offers a new credential as well, and takes its first use', async () => {
    const panel = await startPanels();
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    dataOf(
      await tenant.graphql('mutation($id: ID!) { rotateInstanceCredential(id: $id) { id } }', {
        id: node.id,
      }),
    );
    const later = await panel.another();
    const { body } = await at(later, node).beat(ordinaryBeat);
    const credential = String(body['credential']);
    await panel.clock.advance(1_000);
    expect((await at(later, node, credential).beat()).status).toBe(200);
    await until(async () => isRefused(node), 'the first process to refuse the old one');
  });

  test('a command sent at one is taken at another', async () => {
    const panel = await startPanels();
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    const other = await panel.another();
    await tenant.rest('/api/fleet/commands', { body: { instance_ids: [node.id], command: 'restart' } });
    let taken: unknown[] = [];
    await until(async () => {
      await panel.clock.advance(10);
      taken = (await at(other, node).beat()).body['commands'] as unknown[];
      return taken.length > 0;
    }, 'the command');
    expect(taken).toMatchObject([{ command: 'restart' }]);
  });
});
