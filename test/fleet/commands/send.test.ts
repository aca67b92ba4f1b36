import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf, refusal, restTime } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import {
  nodesOf,
  report,
  send,
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

const hour = 3_600_000;

describe('sending', () => {
  test("the reference's example answers 201 with the command and an entry for each instance", async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 2);
    const now = panel.clock.now();
    const answer = await send(tenant, nodes, { command: 'update', params: { version: '0.3.0' } });
    expect({ status: answer.status, body: answer.body }).toEqual({
      status: 201,
      body: {
        id: expect.stringMatching(/^cmd_[0-9a-z]{26}$/),
        command: 'update',
        params: { version: '0.3.0' },
        status: 'pending',
        created_at: restTime(now),
        expires_at: restTime(new Date(now.getTime() + hour)),
        results: nodes.map(({ id }) => ({
          instance_id: id,
          status: 'pending',
          output: null,
          exit_code: null,
          updated_at: restTime(now),
        })),
      },
    });
    const shown = await tenant.rest<RestCommand>(`/api/fleet/commands/${answer.body.id}`);
    expect(shown.body).toEqual(answer.body);
  });

  test('an unknown instance is named by its place, and so is one of another tenant; nothing is sent', async () => {
    const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
    const [mine, foreign] = [await tenant.node(), await other.node()];
    const answer = await tenant.rest('/api/fleet/commands', {
      body: { instance_ids: [mine.id, 'inst_none', foreign.id], command: 'restart' },
    });
    expect({ status: answer.status, body: answer.body }).toEqual({
      status: 422,
      body: {
        error: 'Validation failed',
        details: {
          'instance_ids.1': 'There is no instance inst_none',
          'instance_ids.2': `There is no instance ${foreign.id}`,
        },
      },
    });
    expect((await tenant.rest('/api/fleet/commands')).body).toEqual([]);
  });

  test.for([
    [{ command: 'explode' }, { command: expect.stringContaining('must be one of update, restart') }],
    [{ instance_ids: [] }, { instance_ids: 'Name at least one instance' }],
    [{ command: 'update' }, { 'params.version': 'version is required, as in 0.3.0' }],
    [
      { command: 'update', params: { version: 'newest' } },
      { 'params.version': 'version must be a version, as in 0.3.0' },
    ],
    [{ params: { now: true } }, { 'params.now': 'now is not a parameter of restart' }],
    [
      { command: 'apply_policy', params: { rule: 1 } },
      { 'params.policy_id': 'policy_id is required', 'params.rule': 'rule must be an object' },
    ],
    [{ max_concurrency: 0 }, { max_concurrency: 'Max concurrency must be from 1 to 10000' }],
    [{ whom: 'all' }, { whom: '"whom" is not a known field' }],
  ] as const)('a fault in %j is named under the field that was sent', async ([more, details]) => {
    const tenant = await panel.world.tenant();
    const answer = await send(tenant, await nodesOf(tenant, 1), more);
    expect({ status: answer.status, body: answer.body }).toEqual({
      status: 422,
      body: { error: 'Validation failed', details },
    });
  });

  test('an instance named twice gets it once', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    const { body } = await send(tenant, [node, node]);
    expect(body.results.map(({ instance_id }) => instance_id)).toEqual([node.id]);
  });

  test('the kinds are a closed list that describes itself', async () => {
    const tenant = await panel.world.tenant();
    const { commandKinds } = dataOf(
      await tenant.graphql<{ commandKinds: { kind: string; paramsSchema: { required?: string[] } }[] }>(
        '{ commandKinds { kind paramsSchema } }',
      ),
    );
    expect(commandKinds.map(({ kind, paramsSchema }) => [kind, paramsSchema.required ?? []])).toEqual([
      ['UPDATE', ['version']],
      ['RESTART', []],
      ['BACKUP', []],
      ['RUN_DIAGNOSTICS', []],
      ['APPLY_POLICY', ['policy_id']],
    ]);
  });

  test('nodes may not send, and users may not report', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    const asNode = await panel.world.graphql(
      'mutation($input: SendCommandInput!) { sendCommand(input: $input) { id } }',
      { input: { instanceIds: [node.id], command: 'RESTART' } },
      node.credential,
    );
    const asUser = await tenant.graphql(
      'mutation($input: ReportCommandResultInput!) { reportCommandResult(commandId: "cmd_x", input: $input) { status } }',
      { input: { lease: '1.x', status: 'SUCCESS' } },
    );
    expect([refusal(asNode), refusal(asUser)]).toEqual([
      { code: 'FORBIDDEN', reason: 'PERMISSION_MISSING' },
      { code: 'FORBIDDEN', reason: 'PERMISSION_MISSING' },
    ]);
  });

  test("another tenant's command is not found, to see or to cancel", async () => {
    const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
    const id = await sent(tenant, await nodesOf(tenant, 1));
    const answers = await Promise.all([
      other.rest(`/api/fleet/commands/${id}`),
      other.rest(`/api/fleet/commands/${id}/cancel`, { method: 'POST' }),
    ]);
    expect(answers.map(({ status, body }) => ({ status, body }))).toEqual([
      { status: 404, body: { error: 'Command not found' } },
      { status: 404, body: { error: 'Command not found' } },
    ]);
  });
});

describe('the list', () => {
  test('shows the newest first, and narrows by status, kind, instance and time', async () => {
    const tenant = await panel.world.tenant();
    const [one, two] = await nodesOf(tenant, 2);
    const restart = await sent(tenant, [one!]);
    const backup = await sent(tenant, [one!, two!], { command: 'backup' });
    const first = await takeOne(two!);
    await report(two!, first, 'success');
    const update = await sent(tenant, [two!], { command: 'update', params: { version: '1.0.0' } });
    const ids = async (query: string) =>
      (await tenant.rest<RestCommand[]>(`/api/fleet/commands${query}`)).body.map(({ id }) => id);
    expect({
      all: await ids(''),
      firstPage: await ids('?limit=2'),
      begun: await ids('?status=in_progress'),
      restarts: await ids('?command=restart'),
      ofTwo: await ids(`?instance_id=${two!.id}`),
    }).toEqual({
      all: [update, backup, restart],
      firstPage: [update, backup],
      begun: [backup],
      restarts: [restart],
      ofTwo: [update, backup],
    });
    const made = async (filter: { from?: Date; to?: Date }) => {
      const answer = await tenant.graphql<{ commands: { nodes: { id: string }[] } }>(
        'query ($filter: CommandFilter) { commands(filter: $filter) { nodes { id } } }',
        { filter },
      );
      return dataOf(answer).commands.nodes.map(({ id }) => id);
    };
    const from = panel.clock.now();
    await panel.clock.advance(1_000);
    const to = panel.clock.now();
    const late = await sent(tenant, [one!]);
    expect([await made({ from }), await made({ to }), await made({ from, to })]).toEqual([
      [late, update],
      [update, backup, restart],
      [update],
    ]);
  });

  test('an unknown status is a 400 that names it', async () => {
    const tenant = await panel.world.tenant();
    const answer = await tenant.rest('/api/fleet/commands?status=lost');
    expect(answer.status).toBe(400);
  });
});

describe('Idempotency-Key', () => {
  const key = (value: string) => ({ 'idempotency-key': value });

  test('a repeated call gets the first answer again, whatever has become of the command', async () => {
    const tenant = await panel.world.tenant();
    const [node] = await nodesOf(tenant, 1);
    const first = await send(tenant, [node!], {}, key('k1'));
    await report(node!, await takeOne(node!), 'success', { output: 'done' });
    const again = await send(tenant, [node!], {}, key('k1'));
    expect({ status: again.status, body: again.body }).toEqual({ status: 201, body: first.body });
    expect(await statuses(tenant, first.body.id, [node!])).toEqual({
      command: 'success',
      nodes: ['success'],
    });
    expect((await tenant.rest<unknown[]>('/api/fleet/commands')).body).toHaveLength(1);
  });

  test('the same key with another body is a 422', async () => {
    const tenant = await panel.world.tenant();
    const [node] = await nodesOf(tenant, 1);
    await send(tenant, [node!], {}, key('k1'));
    const other = await send(tenant, [node!], { command: 'backup' }, key('k1'));
    expect({ status: other.status, body: other.body }).toEqual({
      status: 422,
      body: {
        error: 'Validation failed',
        details: { 'Idempotency-Key': 'The idempotency key was used with another request' },
      },
    });
  });

  test('ten calls at once under one key send one command', async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 1);
    const answers = await Promise.all(
      Array.from({ length: 10 }, async () => send(tenant, nodes, {}, key('k1'))),
    );
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect((await tenant.rest<unknown[]>('/api/fleet/commands')).body).toHaveLength(1);
  });

  test('a call that failed has not used the key, and another tenant may use the same', async () => {
    const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
    const [node] = await nodesOf(tenant, 1);
    const failed = await send(tenant, [], { instance_ids: ['inst_none'] }, key('k1'));
    const mended = await send(tenant, [node!], {}, key('k1'));
    const theirs = await send(other, await nodesOf(other, 1), {}, key('k1'));
    expect([failed.status, mended.status, theirs.status]).toEqual([422, 201, 201]);
  });

  test('after a day the key is free again', async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 1);
    const input = { instanceIds: [nodes[0]!.id], command: 'RESTART', idempotencyKey: 'k1' };
    const mutation = 'mutation($input: SendCommandInput!) { sendCommand(input: $input) { id } }';
    const once = async () => {
      // The sign-in of the tenant's owner lasts for 15 minutes only.
      const { body } = await panel.world.login(tenant.account.email, tenant.account.password);
      const answer = await panel.world.graphql<{ sendCommand: { id: string } }>(
        mutation,
        { input },
        body.access_token,
      );
      return dataOf(answer).sendCommand.id;
    };
    const first = await once();
    expect(await once()).toBe(first);
    await panel.clock.leap(24 * hour);
    expect(await once()).not.toBe(first);
  });
});

test('a beat of a node for which nothing waits brings nothing', async () => {
  const tenant = await panel.world.tenant();
  const [one, two] = await nodesOf(tenant, 2);
  await sent(tenant, [one!]);
  expect([await take(two!), (await take(one!)).length]).toEqual([[], 1]);
});
