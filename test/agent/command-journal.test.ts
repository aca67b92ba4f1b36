import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';

import { CommandJournal } from '#agent/commands/journal.js';
import type { Report } from '#agent/commands/report.js';
import { CommandRunner } from '#agent/commands/runner.js';
import { createLogger } from '#agent/logger.js';
import { assetPath, packageRoot } from '#platform/package-root.js';

import { sent, statuses, type RestCommand } from '../fleet/commands/support/commands.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until, type Node } from '../support/world.js';
import { recording } from './support/recording.js';

const logger = createLogger('silent');
const interrupted = 'Interrupted: the agent ended while it was at it';
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'quazzar-journal-'));
  onTestFinished(async () => rm(folder, { recursive: true, force: true }));
});

describe('the journal', () => {
  const command = { id: 'cmd_1', command: 'restart', params: {}, lease: '1.x' };
  const file = () => path.join(folder, 'state.json.commands');
  /** The agent in a process of its own would have no more in common with the one before than this. */
  const runner = (restart: () => Promise<void> = async () => undefined) =>
    new CommandRunner({
      logger,
      clock: { now: () => new Date(), delay: async () => undefined },
      journal: new CommandJournal(file(), logger),
      handlers: {
        restart: async () => {
          await restart();
          return { isSuccess: true, output: 'restarted', exitCode: 0 };
        },
      },
    });
  async function resumed(answer?: Awaited<ReturnType<Report>>) {
    const { reports, report } = recording(answer);
    await runner().resume(() => report);
    return reports;
  }

  test('a command that was under way is told as interrupted, once', async () => {
    let reached = () => {};
    const isAtIt = new Promise<void>((resolve) => (reached = resolve));
    void runner(async () => {
      reached();
      return new Promise(() => undefined);
    }).run(command, recording().report);
    await isAtIt;
    expect(await resumed()).toEqual([{ status: 'failed', output: interrupted }]);
    expect(await resumed()).toEqual([]);
  });

  test('a command of which the panel was told, and that had not begun, begins after a restart, once', async () => {
    let runs = 0;
    const restart = async () => void (runs += 1);
    let told = () => {};
    const isTold = new Promise<void>((resolve) => (told = resolve));
    void runner(restart).run(command, async () => {
      told();
      return new Promise(() => undefined);
    });
    await isTold;
    expect(runs).toBe(0);
    const { reports, report } = recording();
    await runner(restart).resume(() => report);
    await runner(restart).resume(() => report);
    expect({ runs, reports }).toEqual({
      runs: 1,
      reports: [
        { status: 'in_progress', progress: 0 },
        { status: 'success', output: 'restarted', exit_code: 0 },
      ],
    });
  });

  test('a command that the panel has taken back meanwhile does not begin after a restart', async () => {
    let runs = 0;
    const restart = async () => void (runs += 1);
    const before = runner(restart);
    await before.run(command, async () => {
      before.stop();
      return { kind: 'unavailable', message: 'the panel is away' };
    });
    const { reports, report } = recording({ kind: 'refused', status: 409, message: 'It was cancelled' });
    await runner(restart).resume(() => report);
    await runner(restart).resume(() => report);
    expect({ runs, reports }).toEqual({ runs: 0, reports: [{ status: 'in_progress', progress: 0 }] });
  });

  test('a result that the panel has not heard is told as it was, and the command does not run again', async () => {
    let runs = 0;
    const before = runner(async () => void (runs += 1));
    await before.run(command, async ({ status }) => {
      if (status === 'in_progress') return { kind: 'ok', answer: undefined };
      before.stop();
      return { kind: 'unavailable', message: 'the panel is away' };
    });
    const { reports, report } = recording();
    const after = runner(async () => void (runs += 1));
    await after.resume(() => report);
    await after.run(command, report);
    const result = { status: 'success', output: 'restarted', exit_code: 0 };
    expect({ runs, reports }).toEqual({ runs: 1, reports: [result, result] });
  });

  test.for([
    ['ok', { kind: 'ok', answer: undefined }],
    ['refused', { kind: 'refused', status: 404, message: 'HTTP 404' }],
  ] as const)('nothing is told again that the panel answered with %s', async ([, answer]) => {
    await writeFile(file(), JSON.stringify([{ id: 'cmd_1', lease: '1.x' }]));
    expect(await resumed(answer)).toHaveLength(1);
    expect(await resumed()).toEqual([]);
  });

  test('what it has as not begun, and can not be made to forget, does not begin', async () => {
    let runs = 0;
    const reports: unknown[] = [];
    await runner(async () => void (runs += 1)).run(command, async (body) => {
      reports.push(body);
      if (body.status === 'in_progress') {
        // As on a disk that became read-only just now: neither replaced nor removed.
        await rm(file());
        await mkdir(file());
      }
      return { kind: 'ok', answer: undefined };
    });
    expect({ runs, last: reports.at(-1) }).toEqual({
      runs: 0,
      last: {
        status: 'failed',
        output: expect.stringContaining('Not begun: the journal of commands can not be written'),
        exit_code: 1,
      },
    });
  });

  test('one that can not be read or written keeps no command from running', async () => {
    await writeFile(file(), 'nonsense');
    expect(await resumed()).toEqual([]);
    await rm(folder, { recursive: true });
    await writeFile(folder, 'a file where the folder should be');
    const { reports, report } = recording();
    await runner().run(command, report);
    expect(reports.at(-1)).toMatchObject({ status: 'success' });
  });
});

describe('on a panel', () => {
  let panel: TestPanel;
  beforeAll(async () => {
    panel = await startTestPanel({ HEARTBEAT_SECONDS: '1' });
  });
  afterAll(async () => panel.stop());

  function startAgent(token: string) {
    const args = ['--panel', panel.panel.url, '--token', token, '--name', 'edge', '--simulate'];
    const child = spawn(
      process.execPath,
      [assetPath('dist', 'agent', 'main.js'), ...args, '--state', path.join(folder, 'state.json')],
      { cwd: packageRoot, env: { PATH: process.env['PATH'], HOME: folder }, stdio: 'ignore' },
    );
    const ended = once(child, 'close');
    const kill = async () => {
      child.kill('SIGKILL');
      await ended;
    };
    onTestFinished(kill);
    return { kill };
  }

  async function hasBegun(): Promise<boolean> {
    const noted = await readFile(path.join(folder, 'state.json.commands'), 'utf8');
    return !noted.includes('waiting');
  }

  test('a node that is killed while at a command tells so as soon as it is back', async () => {
    const tenant = await panel.world.tenant();
    const token = await tenant.enrollmentToken();
    const agent = startAgent(token);
    let nodes: Node[] = [];
    await until(async () => {
      nodes = (await tenant.rest<Node[]>('/api/fleet/instances')).body;
      return nodes.length > 0;
    }, 'the node to enroll');
    const id = await sent(tenant, nodes);
    await until(async () => {
      await panel.clock.advance(1);
      return (await statuses(tenant, id, nodes)).command === 'in_progress' && (await hasBegun());
    }, 'the node to begin');
    await agent.kill();
    startAgent(token);
    await until(async () => (await statuses(tenant, id, nodes)).command === 'failed', 'the end of it');
    const { body } = await tenant.rest<RestCommand>(`/api/fleet/commands/${id}`);
    expect(body.results).toMatchObject([{ status: 'failed', output: interrupted }]);
  }, 120_000);
});
