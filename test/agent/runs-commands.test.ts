import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { createAgent } from '#agent/agent.js';
import { systemClock } from '#agent/clock.js';
import type { CommandHandler } from '#agent/commands/handler.js';
import type { Report } from '#agent/commands/report.js';
import { CommandRunner } from '#agent/commands/runner.js';
import { createLogger } from '#agent/logger.js';
import { createPanelClient } from '#agent/panel-client.js';
import { memoryStateStore } from '#agent/state-store.js';

import {
  becomes,
  nodesOf,
  send,
  sent,
  statuses,
  takeOne,
  type Handed,
  type RestCommand,
} from '../fleet/commands/support/commands.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until, type Node } from '../support/world.js';
import { counting, hurried } from './support/counting.js';
import { steadyMetrics } from './support/node.js';

const logger = createLogger('silent');
describe('on a panel', () => {
  let panel: TestPanel;
  beforeAll(async () => {
    panel = await startTestPanel();
  });
  afterAll(async () => panel.stop());

  async function startNode() {
    const tenant = await panel.world.tenant();
    let version = '0.2.9';
    const runner = new CommandRunner({ logger, clock: hurried, onUpdated: (updated) => (version = updated) });
    const accepted: number[] = [];
    const agent = createAgent({
      panelUrl: panel.panel.url,
      enrollmentToken: await tenant.enrollmentToken(),
      name: 'node',
      hostname: 'node.example.com',
      version: () => version,
      stateStore: memoryStateStore(),
      metrics: { collect: async () => steadyMetrics },
      logger,
      firstBeatWithinMs: 0,
      listen: true,
      onCommand: async (command, report) => runner.run(command, report),
      onEvent: (event) => event.type === 'beat-accepted' && accepted.push(event.sequence),
    });
    await agent.start();
    onTestFinished(async () => {
      runner.stop();
      await agent.stop();
    });
    await until(async () => accepted.length > 0, 'the first beat');
    return { tenant, node: { id: agent.instanceId } as Node, version: () => version };
  }

  /** Reports as the agent does, for a node whose beats the test makes. */
  function reportOf(node: Node, handed: Handed): Report {
    const { url: panelUrl } = panel.panel;
    const client = createPanelClient({ panelUrl, clock: systemClock, fetch, timeoutMs: 15_000 });
    return async (body) => client.report(node.credential, handed, body, new AbortController().signal);
  }

  async function result(tenant: Awaited<ReturnType<typeof startNode>>['tenant'], id: string) {
    const { body } = await tenant.rest<RestCommand>(`/api/fleet/commands/${id}`);
    return body.results[0]!;
  }

  test('a node runs a simulated update, says that it is simulated, and reports the new version from then on', async () => {
    const { tenant, node, version } = await startNode();
    const sent = await send(tenant, [node], { command: 'update', params: { version: '0.3.0' } });
    await until(async () => (await statuses(tenant, sent.body.id, [node])).command === 'success', 'its end');
    const { output, exit_code } = await result(tenant, sent.body.id);
    expect({ output, exit_code, version: version() }).toEqual({
      output: [
        'Simulated: nothing on this machine is changed.',
        'Downloading 0.3.0 ...',
        'Verifying ...',
        'Installing ...',
        'Restarting ...',
        'Done.',
      ].join('\n'),
      exit_code: 0,
      version: '0.3.0',
    });
  });

  test('a node that was busy does not run what was cancelled meanwhile', async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 1);
    const id = await sent(tenant, nodes);
    const handed = await takeOne(nodes[0]!);
    await panel.clock.advance(60_000);
    await becomes(tenant, id, nodes, ['delayed']);
    await tenant.rest(`/api/fleet/commands/${id}/cancel`, { method: 'POST' });
    const { runs, runner } = counting();
    await runner.run(handed, reportOf(nodes[0]!, handed));
    expect({ runs: runs.length, ...(await statuses(tenant, id, nodes)) }).toEqual({
      runs: 0,
      command: 'cancelled',
      nodes: ['cancelled'],
    });
  });

  test('whatever a command prints, the panel hears how it ended', async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 1);
    const printed = ['a\0b', `half \ud83d of one`, 'x'.repeat(65_535) + '😀'];
    const seen: unknown[] = [];
    for (const output of printed) {
      const restart: CommandHandler = async ({ progress }) => {
        await progress(50, output);
        return { isSuccess: true, output, exitCode: 0 };
      };
      const id = await sent(tenant, nodes);
      const runner = new CommandRunner({ logger, clock: hurried, handlers: { restart } });
      const handed = await takeOne(nodes[0]!);
      await runner.run(handed, reportOf(nodes[0]!, handed));
      const { status, output: kept } = await result(tenant, id);
      seen.push({ status, kept });
    }
    expect(seen).toEqual([
      { status: 'success', kept: 'ab' },
      { status: 'success', kept: 'half \ufffd of one' },
      {
        status: 'success',
        kept: expect.stringMatching(/^x+\n\[\.\.\. \d+ characters left out \.\.\.\]\nx+😀$/),
      },
    ]);
  });

  test('a node really looks at its system for diagnostics', async () => {
    const { tenant, node } = await startNode();
    const sent = await send(tenant, [node], { command: 'run_diagnostics' });
    await until(
      async () => (await statuses(tenant, sent.body.id, [node])).command === 'success',
      'its end',
      30_000,
    );
    const facts = JSON.parse((await result(tenant, sent.body.id)).output ?? '') as Record<string, unknown>;
    expect(facts).toMatchObject({
      simulated: false,
      agent: { node: process.version },
      os: { platform: process.platform },
    });
  }, 120_000);
});
