import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { Live } from '../../support/live.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { tokenInRole } from '../../support/roles.js';
import type { Node, Tenant } from '../../support/world.js';
import { nodesOf, report, sent, statuses, takeOne, type RestCommand } from './support/commands.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

/** A command to one node, and as if to many more that have printed much. */
async function large(tenant: Tenant, total: number, characters: number): Promise<string> {
  const id = await sent(tenant, await nodesOf(tenant, 1));
  await panel.sql(
    `insert into fleet.command_invocation
       (tenant_id, command_id, instance_id, position, status, lease_stem, updated_at, output)
     select $1, $2, 'inst_' || n, n, 'SUCCESS', 'x', now(), repeat('x', $4::integer)
     from generate_series(1, $3::integer - 1) n`,
    [tenant.id, id, total, characters],
  );
  await panel.sql('update fleet.command set total = $2 where id = $1', [id, total]);
  return id;
}

interface Results {
  command: { counts: { total: number }; results: { instanceId: string; output?: string | null }[] };
}

const resultsOf = async (tenant: Tenant, id: string, args: string, fields = 'instanceId') =>
  tenant.graphql<Results>(
    `query($id: ID!) { command(id: $id) { counts { total } results(${args}) { ${fields} } } }`,
    { id },
  );

test('results are read page by page, or of one instance, in the order of the instances', async () => {
  const tenant = await panel.world.tenant();
  const id = await large(tenant, 1_203, 1);
  const ids: string[] = [];
  for (;;) {
    const after = ids.at(-1);
    const { command } = dataOf(
      await resultsOf(tenant, id, after === undefined ? 'first: 500' : `first: 500, after: "${after}"`),
    );
    if (command.results.length === 0) break;
    ids.push(...command.results.map(({ instanceId }) => instanceId));
  }
  expect(ids.slice(1)).toEqual(Array.from({ length: 1_202 }, (_, at) => `inst_${at + 1}`));
  const one = dataOf(await resultsOf(tenant, id, 'instanceId: "inst_900"', 'instanceId output'));
  expect(one.command.results).toEqual([{ instanceId: 'inst_900', output: 'x' }]);
  const whole = dataOf(await resultsOf(tenant, id, 'first: 10000'));
  expect(whole.command.results).toHaveLength(1_203);
});

test('those in some statuses are read page by page without the others, however late they come', async () => {
  const tenant = await panel.world.tenant();
  const id = await large(tenant, 600, 1);
  await panel.sql(
    `update fleet.command_invocation set status = case when position = 590 then 'EXECUTION_TIMED_OUT' else 'FAILED' end
     where tenant_id = $1 and position in (20, 300, 590)`,
    [tenant.id],
  );
  const failed = async (more: string) => {
    const { command } = dataOf(
      await resultsOf(tenant, id, `statuses: [FAILED, EXECUTION_TIMED_OUT], ${more}`),
    );
    return command.results.map(({ instanceId }) => instanceId);
  };
  expect([await failed('first: 2'), await failed('first: 2, after: "inst_300"')]).toEqual([
    ['inst_20', 'inst_300'],
    ['inst_590'],
  ]);
  const none = dataOf(await resultsOf(tenant, id, 'statuses: []'));
  expect(none.command.results).toEqual([]);
});

test('what was printed is told as far as it is asked for', async () => {
  const tenant = await panel.world.tenant();
  const id = await large(tenant, 3, 1_000);
  const { command } = dataOf(
    await resultsOf(tenant, id, 'first: 2', 'short: output(maxLength: 10) long: output'),
  );
  expect(command.results).toEqual([
    { short: null, long: null },
    { short: 'x'.repeat(10), long: 'x'.repeat(1_000) },
  ]);
});

test('more than an answer can hold is refused', async () => {
  const tenant = await panel.world.tenant();
  const id = await large(tenant, 800, 65_536);
  const answers = await Promise.all([
    resultsOf(tenant, id, 'first: 0'),
    resultsOf(tenant, id, 'first: 800', 'output'),
    resultsOf(tenant, id, 'first: 1', 'output(maxLength: 70000)'),
  ]);
  expect([
    ...new Set(answers.flatMap(({ errors }) => errors!.map(({ extensions }) => extensions['code']))),
  ]).toEqual(['BAD_REQUEST']);
  const nodes = await nodesOf(tenant, 1);
  for (let more = 0; more < 5; more += 1) await sent(tenant, nodes);
  await panel.sql('update fleet.command set total = 10000 where tenant_id = $1', [tenant.id]);
  const all = await tenant.graphql('{ commands { nodes { results(first: 10000) { instanceId } } } }');
  expect(all.errors![0]!.extensions).toMatchObject({ code: 'BAD_REQUEST', reason: 'RESULTS_TOO_MANY' });
});

test('over REST one command tells 500 results at a time, and the list the first of each in short', async () => {
  const tenant = await panel.world.tenant();
  const id = await large(tenant, 700, 2_000);
  const page = await tenant.rest<RestCommand>(`/api/fleet/commands/${id}`);
  const rest = await tenant.rest<RestCommand>(
    `/api/fleet/commands/${id}?after=${page.body.results.at(-1)!.instance_id}`,
  );
  const one = await tenant.rest<RestCommand>(`/api/fleet/commands/${id}?instance_id=inst_650`);
  const [listed] = (await tenant.rest<RestCommand[]>('/api/fleet/commands')).body;
  const shape = ({ results }: RestCommand) => [
    results.length,
    results.at(-1)!.instance_id,
    results.at(-1)!.output?.length,
  ];
  expect([page.body, rest.body, one.body, listed!].map(shape)).toEqual([
    [500, 'inst_499', 2_000],
    [200, 'inst_699', 2_000],
    [1, 'inst_650', 2_000],
    [100, 'inst_99', 500],
  ]);
});

test('progress tells on which instance it is', async () => {
  const tenant = await panel.world.tenant();
  const [one, two] = await nodesOf(tenant, 2);
  await using steps = new Live(
    panel.panel.url,
    tenant.token,
    'subscription { commandProgressed { status changed { instanceId status output } } }',
  );
  await steps.opened();
  await sent(tenant, [one!, two!]);
  await steps.received(1);
  await report(two!, await takeOne(two!), 'success', { output: 'done' });
  await steps.received(2);
  expect(steps.results.map(({ data }) => data)).toEqual([
    { commandProgressed: { status: 'PENDING', changed: null } },
    {
      commandProgressed: {
        status: 'IN_PROGRESS',
        changed: { instanceId: two!.id, status: 'SUCCESS', output: 'done' },
      },
    },
  ]);
});

describe('sent again', () => {
  interface Retried {
    id: string;
    command: string;
    params: Record<string, unknown>;
    maxConcurrency: number;
    maxErrors: number;
    executionTimeoutSeconds: number;
    results: { instanceId: string; status: string }[];
  }

  const retry = async (
    tenant: Tenant,
    id: string,
    input: { statuses: string[]; idempotencyKey?: string },
    token = tenant.token,
  ) =>
    panel.world.graphql<{ retryCommand: Retried }>(
      `mutation($id: ID!, $input: RetryCommandInput!) { retryCommand(id: $id, input: $input) {
         id command params maxConcurrency maxErrors executionTimeoutSeconds results { instanceId status } } }`,
      { id, input },
      token,
    );

  /** An update that one node has failed, one has done, and one is at. */
  async function halfDone(tenant: Tenant): Promise<{ id: string; nodes: Node[] }> {
    const nodes = await nodesOf(tenant, 3);
    const id = await sent(tenant, nodes, {
      command: 'update',
      params: { version: '1.2.3' },
      max_concurrency: 7,
      max_errors: 2,
      execution_timeout_seconds: 900,
    });
    const ends = ['failed', 'success', 'in_progress'];
    for (const [at, node] of nodes.entries()) await report(node, await takeOne(node), ends[at]!);
    return { id, nodes };
  }

  test('a command goes to those that failed as it was, is done once under a key, and leaves the first as it is', async () => {
    const tenant = await panel.world.tenant();
    const { id, nodes } = await halfDone(tenant);
    const input = { statuses: ['FAILED', 'EXECUTION_TIMED_OUT'], idempotencyKey: 'again' };
    const { retryCommand } = dataOf(await retry(tenant, id, input));
    const again = dataOf(await retry(tenant, id, input));
    expect(retryCommand).toEqual({
      id: expect.stringMatching(/^cmd_/),
      command: 'UPDATE',
      params: { version: '1.2.3' },
      maxConcurrency: 7,
      maxErrors: 2,
      executionTimeoutSeconds: 900,
      results: [{ instanceId: nodes[0]!.id, status: 'PENDING' }],
    });
    expect([retryCommand.id === id, again.retryCommand]).toEqual([false, retryCommand]);
    const other = await retry(tenant, id, { ...input, statuses: ['SUCCESS'] });
    expect(refusal(other).reason).toBe('IDEMPOTENCY_KEY_REUSED');
    expect((await takeOne(nodes[0]!)).params).toEqual({ version: '1.2.3' });
    expect((await tenant.rest<unknown[]>('/api/fleet/commands')).body).toHaveLength(2);
    expect((await statuses(tenant, id, nodes)).nodes).toEqual(['failed', 'success', 'in_progress']);
  });

  test('it is refused while it goes on there, where nobody is like that, and where they have left', async () => {
    const tenant = await panel.world.tenant();
    const { id, nodes } = await halfDone(tenant);
    const answers = [
      await retry(tenant, id, { statuses: ['FAILED', 'IN_PROGRESS'] }),
      await retry(tenant, id, { statuses: ['CANCELLED'] }),
      await retry(tenant, id, { statuses: [] }),
    ];
    await tenant.rest(`/api/fleet/instances/${nodes[0]!.id}`, { method: 'DELETE' });
    answers.push(await retry(tenant, id, { statuses: ['FAILED'] }));
    const nobody = { 'input.statuses': 'The command ended so on no instance of the fleet' };
    expect(answers.map(refusal)).toEqual([
      { code: 'CONFLICT', reason: 'COMMAND_UNFINISHED' },
      { code: 'VALIDATION_FAILED', details: nobody },
      { code: 'VALIDATION_FAILED', details: { 'input.statuses': 'Name at least one status' } },
      { code: 'VALIDATION_FAILED', details: nobody },
    ]);
    expect((await tenant.rest<unknown[]>('/api/fleet/commands')).body).toHaveLength(1);
  });

  test("a viewer may not, and another tenant's command is not found", async () => {
    const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
    const { id } = await halfDone(tenant);
    const input = { statuses: ['FAILED'] };
    const foreign = await retry(other, id, input);
    const viewers = await retry(tenant, id, input, await tokenInRole(panel, tenant, 'VIEWER'));
    expect([refusal(foreign), refusal(viewers)]).toEqual([
      { code: 'NOT_FOUND' },
      { code: 'FORBIDDEN', reason: 'PERMISSION_MISSING' },
    ]);
  });
});
