import { expect, test } from 'vitest';

import { TestClock } from '../../support/clock.js';
import { createTestDatabase, testSecretsKey } from '../../support/panel.js';
import { freePort, PanelProcess } from '../../support/process.js';
import { Node, until, World } from '../../support/world.js';
import { send, takeOne, report, type RestCommand } from './support/commands.js';

test('a panel that is killed sends no command twice, hands it out again, and takes one result', async () => {
  const database = await createTestDatabase();
  const settings = {
    DATABASE_URL: database.url,
    SECRETS_KEY: testSecretsKey,
    PUBLIC_URL: 'http://panel.test',
    COMMAND_LEASE_SECONDS: '2',
  };
  const start = async () => new PanelProcess(await freePort(), settings).ready();
  const running = [await start()];
  try {
    const first = running[0]!;
    const tenant = await new World(first.url, new TestClock()).tenant();
    const node = await tenant.node();
    const key = { 'idempotency-key': 'restart-once' };
    const sent = await send(tenant, [node], {}, key);
    const handed = await takeOne(node);
    expect([sent.status, handed.id, await first.kill('SIGKILL')]).toEqual([201, sent.body.id, 'SIGKILL']);

    const second = await start();
    running.push(second);
    const there = new World(second.url, new TestClock());
    const nodeThere = new Node(there, node.name, node.id, node.credential);
    const again = async (options: { body?: unknown; headers?: Record<string, string> }, path = '') =>
      there.rest<RestCommand>(`/api/fleet/commands${path}`, { token: tenant.token, ...options });
    // The client that never heard the answer asks again, and the node that never got its own is handed it again.
    const repeated = await again({ body: { instance_ids: [node.id], command: 'restart' }, headers: key });
    let redelivered = handed;
    await until(
      async () => {
        const beat = await nodeThere.beat();
        const [command] = beat.body['commands'] as (typeof handed)[];
        redelivered = command ?? redelivered;
        return command !== undefined;
      },
      'the command to be handed out again',
      20_000,
    );
    const answers = [
      await report(nodeThere, handed, 'success', { output: 'restarted' }),
      await report(nodeThere, redelivered, 'success', { output: 'restarted' }),
    ];
    const listed = (await again({})).body as unknown as RestCommand[];
    expect({ repeated: repeated.body.id, redelivered: redelivered.id, answers }).toEqual({
      repeated: sent.body.id,
      redelivered: sent.body.id,
      answers: [204, 204],
    });
    expect(listed).toMatchObject([
      { id: sent.body.id, status: 'success', results: [{ status: 'success', output: 'restarted' }] },
    ]);
    expect(redelivered.lease).not.toBe(handed.lease);
  } finally {
    for (const panel of running) await panel.kill('SIGTERM');
    await database.drop();
  }
}, 120_000);
