import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf } from '../../support/answers.js';
import { Live } from '../../support/live.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import type { Tenant } from '../../support/world.js';
import { nodesOf, report, sent, takeOne, type RestCommand } from './support/commands.js';

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
