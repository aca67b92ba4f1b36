import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import type { Node, Tenant } from '../../support/world.js';
import { nodesOf, report, send, sent, takeOne, type Handed, type RestCommand } from './support/commands.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

async function begun(): Promise<{ tenant: Tenant; node: Node; handed: Handed }> {
  const tenant = await panel.world.tenant();
  const [node] = await nodesOf(tenant, 1);
  await sent(tenant, [node!]);
  return { tenant, node: node!, handed: await takeOne(node!) };
}

async function resultOf(tenant: Tenant, id: string): Promise<Record<string, unknown>> {
  const { command } = dataOf(
    await tenant.graphql<{ command: { results: Record<string, unknown>[] } }>(
      `query($id: ID!) { command(id: $id) { results {
         status output outputTruncated exitCode lateResult { outputTruncated exitCode } } } }`,
      { id },
    ),
  );
  return command.results[0]!;
}

test('output that no database can hold is mended, and an unsigned exit code is kept as it came', async () => {
  const { tenant, node, handed } = await begun();
  const said = { output: 'a\0b \uD83D c', exit_code: 3_221_225_477, novelty: 1 };
  expect(await report(node, handed, 'failed', said)).toBe(204);
  expect(await resultOf(tenant, handed.id)).toEqual({
    status: 'FAILED',
    output: 'a\uFFFDb \uFFFD c',
    outputTruncated: false,
    exitCode: 3_221_225_477,
    lateResult: null,
  });
  const { body } = await tenant.rest<RestCommand>(`/api/fleet/commands/${handed.id}`);
  expect(body.results).toMatchObject([{ output: 'a\uFFFDb \uFFFD c', exit_code: 3_221_225_477 }]);
  // The same again is no other result.
  expect(await report(node, handed, 'failed', said)).toBe(204);
  expect(await resultOf(tenant, handed.id)).toMatchObject({ lateResult: null });
  expect(await report(node, handed, 'success', { exit_code: -1_073_741_819 })).toBe(204);
  expect(await resultOf(tenant, handed.id)).toMatchObject({
    lateResult: { outputTruncated: false, exitCode: -1_073_741_819 },
  });
});

test('output of any length is taken: its beginning and its end are kept, and that it was cut is told', async () => {
  const { tenant, node, handed } = await begun();
  const output = `first line\n${'😀'.repeat(100_000)}\nlast line`;
  for (const _again of [1, 2]) expect(await report(node, handed, 'success', { output })).toBe(204);
  const result = await resultOf(tenant, handed.id);
  const kept = String(result['output']);
  const [, head, left, tail] = /^(.*)\n\[\.\.\. (\d+) characters left out \.\.\.\]\n(.*)$/s.exec(kept) ?? [];
  expect({
    ...result,
    output: [kept.length <= 65_536, kept.length > 65_530, head?.slice(0, 11), tail?.slice(-10)],
    isWhole: output.startsWith(head!) && output.endsWith(tail!),
    left: Number(left),
    hasHalves: /\p{Surrogate}/u.test(kept),
  }).toEqual({
    status: 'SUCCESS',
    output: [true, true, 'first line\n', '\nlast line'],
    outputTruncated: true,
    exitCode: null,
    lateResult: null,
    isWhole: true,
    left: output.length - head!.length - tail!.length,
    hasHalves: false,
  });
  const exact = await begun();
  await report(exact.node, exact.handed, 'success', { output: 'x'.repeat(65_536) });
  expect(await resultOf(exact.tenant, exact.handed.id)).toMatchObject({
    output: 'x'.repeat(65_536),
    outputTruncated: false,
  });
});

test('what cannot be used of a report is left out and told, and its status counts', async () => {
  const { tenant, node, handed } = await begun();
  const answer = await panel.world.graphql<{ reportCommandResult: { warnings: { field: string }[] } }>(
    `mutation($id: ID!, $input: ReportCommandResultInput!) {
       reportCommandResult(commandId: $id, input: $input) { status warnings { field } } }`,
    {
      id: handed.id,
      input: { lease: handed.lease, status: 'FAILED', output: 7, exitCode: 2 ** 32, progress: 'half' },
    },
    node.credential,
  );
  expect(dataOf(answer).reportCommandResult).toEqual({
    status: 'FAILED',
    warnings: [{ field: 'output' }, { field: 'exitCode' }, { field: 'progress' }],
  });
  expect(await resultOf(tenant, handed.id)).toMatchObject({ status: 'FAILED', output: null, exitCode: null });
});

test('a status that nobody knows is refused, and so is an id that no database can hold', async () => {
  const { node, handed } = await begun();
  expect(await report(node, handed, 'exploded')).toBe(422);
  const answer = await panel.world.graphql(
    `mutation($input: ReportCommandResultInput!) {
       reportCommandResult(commandId: "cmd_\\u0000", input: $input) { status } }`,
    { input: { lease: handed.lease, status: 'SUCCESS' } },
    node.credential,
  );
  expect(refusal(answer)).toEqual({ code: 'NOT_FOUND' });
});

test('all faults of a command are told at once: unknown instances and groups, and what is missing or out of range', async () => {
  const tenant = await panel.world.tenant();
  const [node] = await nodesOf(tenant, 1);
  const answer = await send(tenant, [node!], {
    instance_ids: [node!.id, 'inst_unknown'],
    group_ids: ['grp_unknown'],
    command: 'update',
    params: {},
    max_concurrency: 0,
  });
  expect([answer.status, answer.body]).toEqual([
    422,
    {
      error: 'Validation failed',
      details: {
        'instance_ids.1': 'There is no instance inst_unknown',
        'group_ids.0': 'There is no group grp_unknown',
        max_concurrency: 'Max concurrency must be from 1 to 10000',
        'params.version': 'version is required, as in 0.3.0',
      },
    },
  ]);
});
