import { afterAll, beforeAll, expect, test } from 'vitest';

import { createAgent, type Agent } from '#agent/agent.js';
import type { CommandHandler } from '#agent/commands/handler.js';
import { CommandRunner } from '#agent/commands/runner.js';
import { createLogger } from '#agent/logger.js';
import { memoryStateStore } from '#agent/state-store.js';

import { steadyMetrics } from '../../agent/support/node.js';
import { TestClock } from '../../support/clock.js';
import { createTestDatabase, testSecretsKey, type TestDatabase } from '../../support/panel.js';
import { freePort, PanelProcess } from '../../support/process.js';
import { until, World, type Node, type Tenant } from '../../support/world.js';
import { sent, statuses, type RestCommand } from './support/commands.js';

const logger = createLogger('silent');

/** The moments of a command at which the panel is killed, by what the agent is about to do or has just done. */
type Moment =
  | 'before the command is handed out'
  | 'before it hears that the node begins'
  | 'when it has heard so and has not answered'
  | 'while the node is at it'
  | 'before it hears of the result'
  | 'when it has heard of it and has not answered';

const moments: readonly Moment[] = [
  'before the command is handed out',
  'before it hears that the node begins',
  'when it has heard so and has not answered',
  'while the node is at it',
  'before it hears of the result',
  'when it has heard of it and has not answered',
];

let database: TestDatabase;
let panel: PanelProcess;
let port: number;
let tenant: Tenant;
let agent: Agent;
let runs = 0;
/** Where the next kill is due; taken by whoever comes by. */
let due: Moment | undefined;
/** Beats wait for it. */
let gate: Promise<void> = Promise.resolve();

const start = async () =>
  new PanelProcess(port, {
    DATABASE_URL: database.url,
    SECRETS_KEY: testSecretsKey,
    PUBLIC_URL: 'http://panel.test',
    HEARTBEAT_SECONDS: '1',
    COMMAND_LEASE_SECONDS: '2',
  }).ready();

/** Kills the panel if that is due now, and starts it again. */
async function passing(moment: Moment): Promise<boolean> {
  if (due !== moment) return false;
  due = undefined;
  await panel.kill('SIGKILL');
  panel = await start();
  return true;
}

/** The wire between agent and panel, on which the panel dies. */
const wire: typeof fetch = async (address, init) => {
  const path = address instanceof URL ? address.pathname : '';
  const body = typeof init?.body === 'string' ? init.body : '';
  if (path.endsWith('/heartbeat')) {
    await gate;
    await passing('before the command is handed out');
  }
  if (!path.endsWith('/result')) return fetch(address, init);
  const begins = body.includes('"in_progress"');
  await passing(begins ? 'before it hears that the node begins' : 'before it hears of the result');
  const answer = await fetch(address, init);
  const lost = await passing(
    begins ? 'when it has heard so and has not answered' : 'when it has heard of it and has not answered',
  );
  if (lost) throw new Error('the panel is gone');
  return answer;
};

const restart: CommandHandler = async () => {
  runs += 1;
  await passing('while the node is at it');
  return { isSuccess: true, output: 'restarted', exitCode: 0 };
};

beforeAll(async () => {
  database = await createTestDatabase();
  port = await freePort();
  panel = await start();
  tenant = await new World(panel.url, new TestClock()).tenant();
  const runner = new CommandRunner({ logger, handlers: { restart } });
  let isBeating = false;
  agent = createAgent({
    panelUrl: panel.url,
    enrollmentToken: await tenant.enrollmentToken(),
    name: 'node',
    hostname: 'node.example.com',
    version: '0.2.9',
    stateStore: memoryStateStore(),
    metrics: { collect: async () => steadyMetrics },
    logger,
    fetch: wire,
    firstBeatWithinMs: 0,
    onCommand: async (command, report) => runner.run(command, report),
    onEvent: ({ type }) => {
      isBeating ||= type === 'beat-accepted';
    },
  });
  await agent.start();
  await until(async () => isBeating, 'the first beat');
}, 120_000);

afterAll(async () => {
  await agent.stop();
  await panel.kill('SIGTERM');
  await database.drop();
});

test.for(moments)(
  'a panel that is killed %s neither loses the command nor has it run twice',
  { timeout: 90_000 },
  async (moment) => {
    runs = 0;
    const nodes = [{ id: agent.instanceId } as Node];
    // No beat may fetch the command before the kill is due.
    let letBeat = () => {};
    gate = new Promise((resolve) => (letBeat = resolve));
    const id = await sent(tenant, nodes);
    due = moment;
    letBeat();
    await until(
      async () => {
        const seen = await statuses(tenant, id, nodes).catch(() => undefined);
        return seen?.command === 'success' && due === undefined;
      },
      'the command to end well',
      60_000,
    );
    const { body } = await tenant.rest<RestCommand>(`/api/fleet/commands/${id}`);
    expect({ runs, results: body.results }).toMatchObject({
      runs: 1,
      results: [{ status: 'success', output: 'restarted' }],
    });
  },
);
