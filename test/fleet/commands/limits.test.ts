import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { OutboxEvent } from '#platform/outbox/outbox.js';
import { lockCommand, settle } from '#subgraphs/fleet/command/command-progress.service.js';

import { openFleetDatabase } from '../../support/fleet-store.js';
import { Live } from '../../support/live.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { rowsRead } from '../../support/rows-read.js';
import { until, type Tenant } from '../../support/world.js';
import { stride } from '../support/strides.js';
import {
  becomes,
  nodesOf,
  report,
  sent,
  statuses,
  take,
  takeOne,
  type Handed,
  type RestCommand,
} from './support/commands.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const minute = 60_000;

describe('timeouts', () => {
  test('an offline node ends in delivery_timed_out', async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 1);
    const id = await sent(tenant, nodes, { delivery_timeout_seconds: 60 });
    await stride(panel.clock, minute);
    await becomes(tenant, id, nodes, ['delivery_timed_out']);
    expect([(await statuses(tenant, id, nodes)).command, await take(nodes[0]!)]).toEqual([
      'delivery_timed_out',
      [],
    ]);
  });

  test('a node that took it in time and asks to begin too late is told that it is over', async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 1);
    const id = await sent(tenant, nodes, { delivery_timeout_seconds: 30 });
    await panel.clock.advance(29_000);
    const handed = await takeOne(nodes[0]!);
    await panel.clock.advance(1_000);
    expect([await report(nodes[0]!, handed, 'in_progress'), await statuses(tenant, id, nodes)]).toEqual([
      409,
      { command: 'delivery_timed_out', nodes: ['delivery_timed_out'] },
    ]);
  });

  test('commands that run out at the same time all end, though some at a time', async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 1);
    const ids: string[] = [];
    while (ids.length < 60) ids.push(await sent(tenant, nodes, { delivery_timeout_seconds: 60 }));
    await stride(panel.clock, minute);
    for (const id of ids) await becomes(tenant, id, nodes, ['delivery_timed_out']);
    expect(await take(nodes[0]!)).toEqual([]);
  });

  test('a node that begins and never ends ends in execution_timed_out, and its late result is kept', async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 1);
    const id = await sent(tenant, nodes, { execution_timeout_seconds: 30 });
    const handed = await takeOne(nodes[0]!);
    await report(nodes[0]!, handed, 'in_progress');
    await stride(panel.clock, 32_000);
    await becomes(tenant, id, nodes, ['execution_timed_out']);
    expect(await report(nodes[0]!, handed, 'success', { output: 'at last' })).toBe(204);
    const { data } = await tenant.graphql<{ command: unknown }>(
      `query($id: ID!) { command(id: $id) { status counts { total waiting running succeeded errors notRun }
         results { status lateResult { status output } } } }`,
      { id },
    );
    expect(data?.command).toEqual({
      status: 'FAILED',
      counts: { total: 1, waiting: 0, running: 0, succeeded: 0, errors: 1, notRun: 0 },
      results: [{ status: 'EXECUTION_TIMED_OUT', lateResult: { status: 'SUCCESS', output: 'at last' } }],
    });
  });

  test('nodes that were not reached do not count as errors: the command is incomplete', async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 2);
    const id = await sent(tenant, nodes, { delivery_timeout_seconds: 60 });
    await report(nodes[0]!, await takeOne(nodes[0]!), 'success');
    await stride(panel.clock, minute);
    await becomes(tenant, id, nodes, ['success', 'delivery_timed_out']);
    expect((await statuses(tenant, id, nodes)).command).toBe('incomplete');
  });
});

describe('max_concurrency', () => {
  test('no more nodes are at it than allowed, and each end lets another one begin', async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 4);
    const id = await sent(tenant, nodes, { max_concurrency: 2 });
    const first = await Promise.all(nodes.map(async (node) => take(node)));
    const begun = nodes.filter((_, at) => first[at]!.length > 0);
    expect(begun).toHaveLength(2);
    const waiting = nodes.filter((node) => !begun.includes(node));
    const one = first[nodes.indexOf(begun[0]!)]![0]!;
    await report(begun[0]!, one, 'in_progress');
    expect(await take(waiting[0]!)).toEqual([]);
    await report(begun[0]!, one, 'success');
    expect((await take(waiting[0]!)).map((handed) => handed.id)).toEqual([id]);
    expect(await take(waiting[1]!)).toEqual([]);
  });

  test('a node that listens is called up when a place is free', async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 2);
    await sent(tenant, nodes, { max_concurrency: 1 });
    const handed = await takeOne(nodes[0]!);
    await using live = new Live<{ commandsFor: { id: string }[] }>(
      panel.panel.url,
      nodes[1]!.credential,
      'subscription { commandsFor { id } }',
    );
    await live.opened();
    await report(nodes[0]!, handed, 'success');
    // The offer from when the command was sent may come late, and there is no place for it then.
    const called = () => live.results.flatMap(({ data }) => data?.commandsFor ?? []);
    await until(async () => called().length > 0, 'the call');
    expect(called()).toEqual([{ id: handed.id }]);
  });

  test('whoever is next is called up in turn, connected ones first, without a look at all that wait', async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 2);
    const [node] = nodes;
    await node!.beat();
    const id = await sent(tenant, nodes, { max_concurrency: 1 });
    await panel.sql(
      `insert into fleet.command_invocation select (jsonb_populate_record(i, jsonb_build_object('position', n,
         'instance_id', 'inst_' || n))).* from fleet.command_invocation i, generate_series(2, 5000) n
       where i.command_id = $1 and i.instance_id = $2`,
      [id, nodes[1]!.id],
    );
    await panel.sql(
      'update fleet.command_invocation set position = 150 where command_id = $1 and instance_id = $2',
      [id, node!.id],
    );
    await panel.sql('analyze fleet.command_invocation');
    const database = await openFleetDatabase(panel.database.url);
    const next = async () =>
      database.forJobs().transactional(async (em) => {
        const command = await lockCommand(em, tenant.id, id);
        const events: OutboxEvent[] = [];
        const before = await rowsRead(em, 'fleet.command_invocation');
        await settle({ em, now: panel.clock.now(), publish: (event) => events.push(event) }, command!, []);
        expect((await rowsRead(em, 'fleet.command_invocation')) - before).toBeLessThan(500);
        const offers = events.filter(({ topic }) => topic === 'fleet.command.offered');
        return offers.map(({ payload }) => (payload as { instanceIds: string[] }).instanceIds);
      });
    try {
      expect([await next(), await next(), await next()]).toEqual([
        [[nodes[1]!.id]],
        [[node!.id]],
        [['inst_151']],
      ]);
    } finally {
      await database.close();
    }
  });

  test('a node that took it and fell silent does not hold its place for ever', async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 2);
    const id = await sent(tenant, nodes, { max_concurrency: 1 });
    await takeOne(nodes[0]!);
    expect(await take(nodes[1]!)).toEqual([]);
    await stride(panel.clock, minute);
    await becomes(tenant, id, nodes, ['delayed', 'pending']);
    expect(await take(nodes[1]!)).toHaveLength(1);
  });
});

describe('max_errors', () => {
  test('with n errors allowed no node begins after error n+1, and those at it finish', async () => {
    const tenant = await (await panel.world.tenant()).grantPlan('PRO');
    const nodes = await nodesOf(tenant, 6);
    const id = await sent(tenant, nodes, { max_errors: 1, max_concurrency: 3 });
    const handed: Handed[] = [];
    for (const node of nodes.slice(0, 3)) handed.push(await takeOne(node));
    await report(nodes[2]!, handed[2]!, 'in_progress');
    await report(nodes[0]!, handed[0]!, 'failed', { exit_code: 1 });
    expect(await take(nodes[3]!), 'one error is allowed').toHaveLength(1);
    await report(nodes[1]!, handed[1]!, 'failed');
    expect(await take(nodes[4]!)).toEqual([]);
    expect(await statuses(tenant, id, nodes)).toEqual({
      command: 'in_progress',
      nodes: ['failed', 'failed', 'in_progress', 'pending', 'terminated', 'terminated'],
    });
    await report(nodes[2]!, handed[2]!, 'success');
    // Handed out before the second error and never taken up.
    await stride(panel.clock, minute);
    await becomes(tenant, id, nodes, [
      'failed',
      'failed',
      'success',
      'terminated',
      'terminated',
      'terminated',
    ]);
    expect((await statuses(tenant, id, nodes)).command).toBe('failed');
  });

  test('as many errors as allowed leave the command incomplete, not failed', async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 2);
    const id = await sent(tenant, nodes, { max_errors: 1 });
    for (const [at, node] of nodes.entries()) {
      await report(node, await takeOne(node), at === 0 ? 'failed' : 'success');
    }
    expect((await statuses(tenant, id, nodes)).command).toBe('incomplete');
  });
});

describe('cancelling', () => {
  const cancel = async (tenant: Tenant, id: string) =>
    tenant.rest<RestCommand>(`/api/fleet/commands/${id}/cancel`, { method: 'POST' });

  test('keeps others from beginning and lets those that have begun finish', async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 3);
    const id = await sent(tenant, nodes);
    const [begun, taken] = [await takeOne(nodes[0]!), await takeOne(nodes[1]!)];
    await report(nodes[0]!, begun, 'in_progress');
    const answer = await cancel(tenant, id);
    expect({ status: answer.status, command: answer.body.status }).toEqual({
      status: 200,
      command: 'cancelling',
    });
    expect(await take(nodes[2]!)).toEqual([]);
    // It had it in its hands when the command was cancelled, and asks whether it may begin.
    expect(await report(nodes[1]!, taken, 'in_progress')).toBe(409);
    expect((await statuses(tenant, id, nodes)).nodes).toEqual(['in_progress', 'cancelled', 'cancelled']);
    expect(await report(nodes[1]!, taken, 'in_progress')).toBe(409);
    await report(nodes[0]!, begun, 'success');
    expect(await statuses(tenant, id, nodes)).toEqual({
      command: 'cancelled',
      nodes: ['success', 'cancelled', 'cancelled'],
    });
  });

  test('is safe to repeat, and refused once the command has ended', async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 1);
    const [cancelled, done] = [await sent(tenant, nodes), await sent(tenant, nodes)];
    expect([(await cancel(tenant, cancelled)).status, (await cancel(tenant, cancelled)).status]).toEqual([
      200, 200,
    ]);
    await report(nodes[0]!, await takeOne(nodes[0]!), 'success');
    const refused = await cancel(tenant, done);
    expect({ status: refused.status, body: refused.body }).toEqual({
      status: 409,
      body: { error: 'The command has ended already' },
    });
  });
});
