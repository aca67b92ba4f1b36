import { afterAll, beforeAll, expect, test } from 'vitest';

import { createAgent, type Agent } from '#agent/agent.js';
import type { CommandHandler } from '#agent/commands/handler.js';
import { CommandRunner } from '#agent/commands/runner.js';
import { createLogger } from '#agent/logger.js';
import { memoryStateStore } from '#agent/state-store.js';

import { steadyMetrics } from '../../agent/support/node.js';
import { TestClock } from '../../support/clock.js';
import {
  createTestDatabase,
  testAdministrator,
  testSecretsKey,
  type TestDatabase,
} from '../../support/panel.js';
import { freePort, PanelProcess } from '../../support/process.js';
import { until, World, type Node, type Tenant } from '../../support/world.js';
import { report, send, sent, statuses, takeOne, type Handed, type RestCommand } from './support/commands.js';

const logger = createLogger('silent');

/** The moments of a command at which the panel is killed, by what the agent is about to do or has just done. */
const moments = [
  'before the command is handed out',
  'before it hears that the node begins',
  'when it has heard so and has not answered',
  'while the node is at it',
  'before it hears of the result',
  'when it has heard of it and has not answered',
] as const;
type Moment = (typeof moments)[number];

/** An agent whose command comes to one of the moments, and waits there for the panel to be killed. */
class Struck {
  runs = 0;
  commandId = '';
  readonly agent: Agent;
  /** Resolves when its moment has come. */
  readonly arrived: Promise<void>;
  private arrive: () => void = () => undefined;
  private isDue = false;
  /** Beats wait for it: none may fetch the command before all have been sent. */
  private gate: Promise<void> = Promise.resolve();
  private isBeating = false;

  constructor(
    private readonly moment: Moment,
    enrollmentToken: string,
  ) {
    this.arrived = new Promise((resolve) => (this.arrive = resolve));
    const name = `node-${moments.indexOf(moment)}`;
    const runner = new CommandRunner({ logger, handlers: { restart: this.restart } });
    this.agent = createAgent({
      panelUrl: panel.url,
      enrollmentToken,
      name,
      hostname: `${name}.example.com`,
      version: '0.2.9',
      stateStore: memoryStateStore(),
      metrics: { collect: async () => steadyMetrics },
      logger,
      fetch: this.wire,
      firstBeatWithinMs: 0,
      onCommand: async (command, tell) => runner.run(command, tell),
      onEvent: ({ type }) => {
        this.isBeating ||= type === 'beat-accepted';
      },
    });
  }

  get nodes(): Node[] {
    return [{ id: this.agent.instanceId } as Node];
  }

  async start(): Promise<void> {
    await this.agent.start();
    await until(async () => this.isBeating, 'the first beat');
  }

  /** Sends its command, which is fetched once `letBeat` is done. */
  async send(letBeat: Promise<void>): Promise<void> {
    this.gate = letBeat;
    this.isDue = true;
    this.commandId = await sent(tenant, this.nodes);
  }

  /** Waits here for the kill if this is the moment. */
  private async passing(moment: Moment): Promise<boolean> {
    if (!this.isDue || moment !== this.moment) return false;
    this.isDue = false;
    this.arrive();
    await restarted;
    return true;
  }

  /** The wire between agent and panel, on which the panel dies. */
  private readonly wire: typeof fetch = async (address, init) => {
    const path = address instanceof URL ? address.pathname : '';
    const body = typeof init?.body === 'string' ? init.body : '';
    if (path.endsWith('/heartbeat')) {
      await this.gate;
      await this.passing('before the command is handed out');
    }
    if (!path.endsWith('/result')) return fetch(address, init);
    const begins = body.includes('"in_progress"');
    await this.passing(begins ? 'before it hears that the node begins' : 'before it hears of the result');
    const answer = await fetch(address, init);
    const lost = await this.passing(
      begins ? 'when it has heard so and has not answered' : 'when it has heard of it and has not answered',
    );
    if (lost) throw new Error('the panel is gone');
    return answer;
  };

  private readonly restart: CommandHandler = async () => {
    this.runs += 1;
    await this.passing('while the node is at it');
    return { isSuccess: true, output: 'restarted', exitCode: 0 };
  };
}

let database: TestDatabase;
let panel: PanelProcess;
let port: number;
let tenant: Tenant;
let struck: readonly Struck[] = [];
/** A node without an agent, the command that was sent with a key, and what the node was handed before the kill. */
let node: Node;
let keyed: RestCommand;
let handed: Handed;
const key = { 'idempotency-key': 'restart-once' };

let hasRestarted = () => {};
const restarted = new Promise<void>((resolve) => (hasRestarted = resolve));

const start = async () =>
  new PanelProcess(port, {
    DATABASE_URL: database.url,
    SECRETS_KEY: testSecretsKey,
    PUBLIC_URL: 'http://panel.test',
    HEARTBEAT_SECONDS: '1',
    COMMAND_LEASE_SECONDS: '2',
    ADMIN_EMAIL: testAdministrator.email,
    ADMIN_PASSWORD: testAdministrator.password,
  }).ready();

/** One kill strikes all of them, each at a moment of its own. */
beforeAll(async () => {
  database = await createTestDatabase();
  port = await freePort();
  panel = await start();
  tenant = await (await new World(panel.url, new TestClock()).tenant()).grantPlan('PRO');
  node = await tenant.node();
  const enrollmentToken = await tenant.enrollmentToken();
  struck = moments.map((moment) => new Struck(moment, enrollmentToken));
  await Promise.all(struck.map(async (one) => one.start()));

  ({ body: keyed } = await send(tenant, [node], {}, key));
  handed = await takeOne(node);
  let letBeat = () => {};
  const gate = new Promise<void>((resolve) => (letBeat = resolve));
  for (const one of struck) await one.send(gate);
  letBeat();
  await Promise.all(struck.map(async ({ arrived }) => arrived));
  await panel.kill('SIGKILL');
  panel = await start();
  hasRestarted();
}, 120_000);

afterAll(async () => {
  await Promise.all(struck.map(async ({ agent }) => agent.stop()));
  await panel.kill('SIGTERM');
  await database.drop();
});

test.for(moments)(
  'a panel that is killed %s neither loses the command nor has it run twice',
  { timeout: 90_000 },
  async (moment) => {
    const one = struck[moments.indexOf(moment)]!;
    await until(
      async () => {
        const seen = await statuses(tenant, one.commandId, one.nodes).catch(() => undefined);
        return seen?.command === 'success';
      },
      'the command to end well',
      60_000,
    );
    const { body } = await tenant.rest<RestCommand>(`/api/fleet/commands/${one.commandId}`);
    expect({ runs: one.runs, results: body.results }).toMatchObject({
      runs: 1,
      results: [{ status: 'success', output: 'restarted' }],
    });
  },
);

test('a panel that is killed sends no command twice, hands it out again, and takes one result', async () => {
  // The client that never heard the answer asks again, and the node that never got its own is handed it again.
  const repeated = await send(tenant, [node], {}, key);
  let redelivered = handed;
  await until(
    async () => {
      const beat = await node.beat();
      const [command] = beat.body['commands'] as Handed[];
      redelivered = command ?? redelivered;
      return command !== undefined;
    },
    'the command to be handed out again',
    20_000,
  );
  const answers = [
    await report(node, handed, 'success', { output: 'restarted' }),
    await report(node, redelivered, 'success', { output: 'restarted' }),
  ];
  expect({ repeated: repeated.body.id, handed: handed.id, redelivered: redelivered.id, answers }).toEqual({
    repeated: keyed.id,
    handed: keyed.id,
    redelivered: keyed.id,
    answers: [204, 204],
  });
  const listed = (await tenant.rest('/api/fleet/commands')).body as unknown as RestCommand[];
  expect(listed.filter(({ results }) => results.some(({ instance_id }) => instance_id === node.id))).toEqual([
    expect.objectContaining({
      id: keyed.id,
      status: 'success',
      results: [expect.objectContaining({ status: 'success', output: 'restarted' })],
    }),
  ]);
  expect(redelivered.lease).not.toBe(handed.lease);
});
