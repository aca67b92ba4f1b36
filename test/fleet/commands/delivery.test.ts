import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { refusal } from '../../support/answers.js';
import { Live } from '../../support/live.js';
import { modes, startTestPanel, type TestPanel } from '../../support/panel.js';
import { stride } from '../support/strides.js';
import {
  becomes,
  nodesOf,
  report,
  sent,
  statuses,
  take,
  takeOne,
  type RestCommand,
} from './support/commands.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const minute = 60_000;

describe('one node', () => {
  test('takes it with a beat, begins, comes further, and is done', async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 1);
    const [node] = nodes;
    const id = await sent(tenant, nodes, { command: 'update', params: { version: '0.3.0' } });
    const handed = await takeOne(node!);
    expect(handed).toEqual({
      id,
      command: 'update',
      params: { version: '0.3.0' },
      lease: expect.any(String),
    });
    const seen = [await statuses(tenant, id, nodes)];
    const answers = [await report(node!, handed, 'in_progress', { progress: 10 })];
    seen.push(await statuses(tenant, id, nodes));
    answers.push(await report(node!, handed, 'in_progress', { progress: 80, output: 'nearly' }));
    answers.push(await report(node!, handed, 'success', { output: 'updated', exit_code: 0 }));
    seen.push(await statuses(tenant, id, nodes));
    expect({ answers, seen }).toEqual({
      answers: [204, 204, 204],
      seen: [
        { command: 'pending', nodes: ['pending'] },
        { command: 'in_progress', nodes: ['in_progress'] },
        { command: 'success', nodes: ['success'] },
      ],
    });
    const { body } = await tenant.rest<RestCommand>(`/api/fleet/commands/${id}`);
    expect(body.results).toMatchObject([{ output: 'updated', exit_code: 0 }]);
  });

  test('is handed it once while it has time to answer, and again when it stayed silent', async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 1);
    const id = await sent(tenant, nodes);
    const first = await takeOne(nodes[0]!);
    expect(await take(nodes[0]!)).toEqual([]);
    await stride(panel.clock, minute);
    await becomes(tenant, id, nodes, ['delayed']);
    const second = await takeOne(nodes[0]!);
    expect({ sameCommand: second.id === first.id, sameLease: second.lease === first.lease }).toEqual({
      sameCommand: true,
      sameLease: false,
    });
    // It has run on the first delivery: its answer counts whichever lease it names.
    expect(await report(nodes[0]!, first, 'success')).toBe(204);
    expect(await statuses(tenant, id, nodes)).toEqual({ command: 'success', nodes: ['success'] });
  });

  test('is not handed again what it said it has begun', async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 1);
    await sent(tenant, nodes);
    await report(nodes[0]!, await takeOne(nodes[0]!), 'in_progress');
    await stride(panel.clock, 2 * minute);
    expect(await take(nodes[0]!)).toEqual([]);
  });

  test('may repeat its result; another one later is kept beside the first', async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 1);
    const id = await sent(tenant, nodes);
    const handed = await takeOne(nodes[0]!);
    const answers = [
      await report(nodes[0]!, handed, 'success', { output: 'one' }),
      await report(nodes[0]!, handed, 'success', { output: 'one' }),
    ];
    const read = async () =>
      (
        await tenant.graphql<{ command: { results: unknown[] } }>(
          'query($id: ID!) { command(id: $id) { results { status output lateResult { status output } } } }',
          { id },
        )
      ).data?.command.results;
    const repeated = await read();
    answers.push(await report(nodes[0]!, handed, 'failed', { output: 'two' }));
    // Nobody is at it any more.
    answers.push(await report(nodes[0]!, handed, 'in_progress'));
    expect({ answers, repeated, later: await read() }).toEqual({
      answers: [204, 204, 204, 409],
      repeated: [{ status: 'SUCCESS', output: 'one', lateResult: null }],
      later: [{ status: 'SUCCESS', output: 'one', lateResult: { status: 'FAILED', output: 'two' } }],
    });
  });

  test('cannot report what it was not handed, nor what is for others', async () => {
    const tenant = await panel.world.tenant();
    const [node, other] = await nodesOf(tenant, 2);
    const id = await sent(tenant, [node!]);
    const early = await report(node!, { id, lease: '1.guessed' }, 'success');
    const handed = await takeOne(node!);
    const foreign = await (await panel.world.tenant()).node();
    expect({
      early,
      forged: await report(node!, { id, lease: `9.${handed.lease.split('.')[1]}` }, 'success'),
      other: await report(other!, handed, 'success'),
      foreign: await report(foreign, handed, 'success'),
      wordless: await report(node!, handed, 'pending'),
    }).toEqual({ early: 409, forged: 409, other: 404, foreign: 404, wordless: 422 });
    expect((await statuses(tenant, id, [node!])).nodes).toEqual(['pending']);
  });

  test('cannot begin what ended before it had begun', async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 1);
    const id = await sent(tenant, nodes);
    const handed = await takeOne(nodes[0]!);
    await stride(panel.clock, minute);
    await becomes(tenant, id, nodes, ['delayed']);
    await tenant.rest(`/api/fleet/commands/${id}/cancel`, { method: 'POST' });
    const begins = await panel.world.graphql(
      'mutation($id: ID!, $input: ReportCommandResultInput!) { reportCommandResult(commandId: $id, input: $input) { status } }',
      { id, input: { lease: handed.lease, status: 'IN_PROGRESS' } },
      nodes[0]!.credential,
    );
    expect(refusal(begins)).toEqual({ code: 'CONFLICT', reason: 'COMMAND_FINISHED' });
    expect(await report(nodes[0]!, handed, 'in_progress')).toBe(409);
    expect(await statuses(tenant, id, nodes)).toEqual({ command: 'cancelled', nodes: ['cancelled'] });
  });

  test('whose first answer was lost cannot begin once its time is over, though its first word was taken', async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 1);
    const id = await sent(tenant, nodes, { execution_timeout_seconds: 60 });
    const handed = await takeOne(nodes[0]!);
    const answers = [await report(nodes[0]!, handed, 'in_progress')];
    await stride(panel.clock, 2 * minute);
    await becomes(tenant, id, nodes, ['execution_timed_out']);
    answers.push(await report(nodes[0]!, handed, 'in_progress', { progress: 0 }));
    expect({ answers, seen: (await statuses(tenant, id, nodes)).nodes }).toEqual({
      answers: [204, 409],
      seen: ['execution_timed_out'],
    });
  });

  test('that there is twice begins it once: with the lease that was handed out last', async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 1);
    const id = await sent(tenant, nodes);
    const first = await takeOne(nodes[0]!);
    await stride(panel.clock, minute);
    await becomes(tenant, id, nodes, ['delayed']);
    const second = await takeOne(nodes[0]!);
    const answers = [
      await report(nodes[0]!, first, 'in_progress'),
      await report(nodes[0]!, second, 'in_progress'),
      // The copy asks again, and hears no other answer than before.
      await report(nodes[0]!, first, 'in_progress'),
      await report(nodes[0]!, second, 'in_progress', { progress: 50 }),
    ];
    expect({ answers, seen: (await statuses(tenant, id, nodes)).nodes }).toEqual({
      answers: [409, 204, 409, 204],
      seen: ['in_progress'],
    });
  });

  test('cannot begin after its time to say so, but what it did all the same counts', async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 2);
    const id = await sent(tenant, nodes, { max_concurrency: 1 });
    const stale = await takeOne(nodes[0]!);
    await stride(panel.clock, minute);
    await becomes(tenant, id, nodes, ['delayed', 'pending']);
    const fresh = await takeOne(nodes[1]!);
    const answers = [
      await report(nodes[1]!, fresh, 'in_progress'),
      await report(nodes[0]!, stale, 'in_progress'),
    ];
    expect({ answers, seen: await statuses(tenant, id, nodes) }).toEqual({
      answers: [204, 409],
      seen: { command: 'in_progress', nodes: ['delayed', 'in_progress'] },
    });
    expect(await report(nodes[0]!, stale, 'success')).toBe(204);
    expect((await statuses(tenant, id, nodes)).nodes).toEqual(['success', 'in_progress']);
  });

  test('gets several in the order they were sent', async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 1);
    const ids = [await sent(tenant, nodes), await sent(tenant, nodes), await sent(tenant, nodes)];
    expect((await take(nodes[0]!)).map(({ id }) => id)).toEqual(ids);
  });
});

describe.each(modes)('live, %s', (mode) => {
  let live: TestPanel;
  beforeAll(async () => {
    live = await startTestPanel({}, mode);
  });
  afterAll(async () => live.stop());

  const commandsFor = 'subscription { commandsFor { id command params lease } }';

  test('a node that listens gets a command at once, and others hear nothing of it', async () => {
    const tenant = await live.world.tenant();
    const [node, other] = await nodesOf(tenant, 2);
    await using mine = new Live(live.panel.url, node!.credential, commandsFor);
    await using theirs = new Live(live.panel.url, other!.credential, commandsFor);
    await mine.opened();
    await theirs.opened();
    const first = await sent(tenant, [node!], { command: 'update', params: { version: '0.3.0' } });
    await mine.received(1);
    const second = await sent(tenant, [other!]);
    await theirs.received(1);
    expect([mine, theirs].map(({ results }) => results.map(({ data }) => data))).toEqual([
      [
        {
          commandsFor: [
            { id: first, command: 'UPDATE', params: { version: '0.3.0' }, lease: expect.any(String) },
          ],
        },
      ],
      [{ commandsFor: [{ id: second, command: 'RESTART', params: {}, lease: expect.any(String) }] }],
    ]);
    expect(await take(node!)).toEqual([]);
  });

  test('a dashboard sees each step as it happens', async () => {
    const tenant = await live.world.tenant();
    const [node] = await nodesOf(tenant, 1);
    await using steps = new Live(
      live.panel.url,
      tenant.token,
      'subscription { commandProgressed { status results { status progress instance { name } } } }',
    );
    await steps.opened();
    await sent(tenant, [node!]);
    await steps.received(1);
    const handed = await takeOne(node!);
    await report(node!, handed, 'in_progress', { progress: 50 });
    await steps.received(2);
    await report(node!, handed, 'success');
    await steps.received(3);
    const result = (status: string, progress: number | null) => [
      { status, progress, instance: { name: node!.name } },
    ];
    expect(steps.results.map(({ data }) => data)).toEqual([
      { commandProgressed: { status: 'PENDING', results: result('PENDING', null) } },
      { commandProgressed: { status: 'IN_PROGRESS', results: result('IN_PROGRESS', 50) } },
      { commandProgressed: { status: 'SUCCESS', results: result('SUCCESS', 100) } },
    ]);
  });

  test('users cannot listen for nodes, nor nodes for users', async () => {
    const tenant = await live.world.tenant();
    const node = await tenant.node();
    await using user = new Live(live.panel.url, tenant.token, commandsFor);
    await user.ended();
    await using other = new Live(
      live.panel.url,
      node.credential,
      'subscription { commandProgressed { id } }',
    );
    await other.ended();
    expect([user.firstErrorCode, other.firstErrorCode]).toEqual(['FORBIDDEN', 'FORBIDDEN']);
  });
});
