import { describe, expect, onTestFinished, test } from 'vitest';

import { systemClock } from '#agent/clock.js';
import { succeeded, type CommandHandler } from '#agent/commands/handler.js';
import type { CommandReport, Report } from '#agent/commands/report.js';
import { CommandRunner } from '#agent/commands/runner.js';
import { createLogger } from '#agent/logger.js';
import { createPanelClient, type Outcome } from '#agent/panel-client.js';

import { counting, hurried } from './support/counting.js';
import { recording } from './support/recording.js';
import { StubPanel } from './support/stub-panel.js';

const logger = createLogger('silent');

describe('the runner', () => {
  const command = (id: string, kind = 'restart') => ({ id, command: kind, params: {}, lease: '1.x' });

  test('a command that comes twice runs once, and its result is told under the newer lease', async () => {
    const runner = new CommandRunner({ logger, clock: hurried });
    const [first, second] = [recording(), recording()];
    await runner.run(command('cmd_1'), first.report);
    await runner.run(command('cmd_1'), second.report);
    expect(first.reports.map(({ status }) => status)).toEqual([
      'in_progress',
      'in_progress',
      'in_progress',
      'in_progress',
      'success',
    ]);
    expect(second.reports).toEqual([first.reports.at(-1)]);
  });

  test('nothing begins that the panel takes back', async () => {
    const runner = new CommandRunner({ logger, clock: hurried });
    const refused = recording({ kind: 'refused', status: 404, message: 'HTTP 404' });
    await runner.run(command('cmd_1'), refused.report);
    expect(refused.reports).toEqual([{ status: 'in_progress', progress: 0 }]);
  });

  test('a command that is handed out again while its first lease is refused begins under the second', async () => {
    const { runs, runner } = counting();
    const second = recording();
    await runner.run(command('cmd_1'), async () => {
      await runner.run(command('cmd_1'), second.report);
      return { kind: 'refused', status: 409, message: 'HTTP 409' };
    });
    expect({ runs, told: second.reports.map(({ status }) => status) }).toEqual({
      runs: ['restart'],
      told: ['in_progress', 'success'],
    });
  });

  test.for([400, 413, 422])(
    'where the panel answers %i to a result, it hears it without the output',
    async (status) => {
      const { runner } = counting();
      const reports: CommandReport[] = [];
      await runner.run(command('cmd_1'), async (body) => {
        reports.push(body);
        if (body.output !== undefined) return { kind: 'refused', status, message: `HTTP ${status}` };
        return { kind: 'ok', answer: undefined };
      });
      expect(reports.slice(1)).toEqual([
        { status: 'success', output: 'restarted', exit_code: 0 },
        { status: 'success', exit_code: 0 },
      ]);
    },
  );

  test('a kind that it does not know fails and says so', async () => {
    const runner = new CommandRunner({ logger, clock: hurried });
    const { reports, report } = recording();
    await runner.run(command('cmd_1', 'constructor'), report);
    expect(reports.at(-1)).toEqual({
      status: 'failed',
      output: 'This node does not know the command constructor',
      exit_code: 127,
    });
  });

  test('a result that could not be told is told again until it is heard', async () => {
    const runner = new CommandRunner({ logger, clock: hurried });
    const heard: CommandReport[] = [];
    let calls = 0;
    await runner.run(command('cmd_1'), async (body) => {
      calls += 1;
      if (calls % 2 === 1) return { kind: 'unavailable', message: 'the panel is away' };
      heard.push(body);
      return { kind: 'ok', answer: undefined };
    });
    expect([heard[0]?.status, heard.at(-1)?.status]).toEqual(['in_progress', 'success']);
  });

  test.for([
    { kind: 'unauthorized', status: 401, message: 'HTTP 401' },
    { kind: 'refused', status: 403, message: 'HTTP 403: The tenant is suspended' },
  ] as const)('a result is told again while the node is refused with $status', async (refusal) => {
    const { runner } = counting();
    const heard: CommandReport[] = [];
    let refusals = 0;
    await runner.run(command('cmd_1'), async (body) => {
      if (body.status === 'success' && refusals < 3) {
        refusals += 1;
        return refusal;
      }
      heard.push(body);
      return { kind: 'ok', answer: undefined };
    });
    expect(heard.map(({ status }) => status)).toEqual(['in_progress', 'success']);
  });

  test.for([
    [
      'the page of a captive portal',
      { headers: { 'content-type': 'text/html' }, body: '<html>Log in</html>' },
    ],
    ['a redirect to one', { status: 302, headers: { location: 'http://portal.example.com/' }, body: '' }],
    [
      'a 401 of a proxy',
      { status: 401, headers: { 'content-type': 'text/html' }, body: '<html>Who?</html>' },
    ],
    [
      'a 404 of a proxy',
      { status: 404, headers: { 'content-type': 'text/html' }, body: '<html>What?</html>' },
    ],
  ] as const)('%s is neither consent to begin nor word that a result was taken', async ([, stranger]) => {
    const stub = await StubPanel.start();
    onTestFinished(async () => stub.close());
    const client = createPanelClient({ panelUrl: stub.url, clock: systemClock, fetch, timeoutMs: 15_000 });
    const { runs, runner } = counting(() => stub.script('result', stranger, stranger));
    stub.script('result', stranger);
    const told: Outcome<undefined>[] = [];
    const ran: number[] = [];
    await runner.run(command('cmd_1'), async (body) => {
      const outcome = await client.report('cred', command('cmd_1'), body, new AbortController().signal);
      told.push(outcome);
      ran.push(runs.length);
      return outcome;
    });
    expect({
      runs,
      ran,
      told: told.map(({ kind }) => kind === 'ok'),
      words: stub.results.map(({ body }) => body['status']),
    }).toEqual({
      runs: ['restart'],
      ran: [0, 0, 1, 1, 1],
      told: [false, true, false, false, true],
      words: ['in_progress', 'in_progress', 'success', 'success', 'success'],
    });
  });

  test('a result that the panel has no command for any more is not told again', async () => {
    const stub = await StubPanel.start();
    onTestFinished(async () => stub.close());
    const client = createPanelClient({ panelUrl: stub.url, clock: systemClock, fetch, timeoutMs: 15_000 });
    const { runner } = counting(() =>
      stub.script('result', { status: 404, body: { error: 'Command not found' } }),
    );
    await runner.run(command('cmd_1'), async (body) =>
      client.report('cred', command('cmd_1'), body, new AbortController().signal),
    );
    expect(stub.results.map(({ body }) => body['status'])).toEqual(['in_progress', 'success']);
  });

  test('what hangs is left behind once the panel has ended it, and what comes after it runs', async () => {
    const restart: CommandHandler = async () => new Promise(() => undefined);
    const runs: string[] = [];
    const hanging = new CommandRunner({
      logger,
      clock: hurried,
      wordEveryMs: 5,
      handlers: { restart, backup: async () => (runs.push('backup'), succeeded('done')) },
    });
    let words = 0;
    const reports: CommandReport[] = [];
    const first = hanging.run(command('cmd_1'), async (body) => {
      reports.push(body);
      words += 1;
      if (body.status !== 'in_progress' || words < 4) return { kind: 'ok', answer: undefined };
      return { kind: 'refused', status: 409, message: 'HTTP 409', reason: 'COMMAND_FINISHED' };
    });
    await hanging.run(command('cmd_2', 'backup'), recording().report);
    await first;
    expect({ runs, last: reports.at(-1) }).toEqual({
      runs: ['backup'],
      last: {
        status: 'failed',
        output: 'Broken off: the panel has ended the command, as its time was over',
        exit_code: 1,
      },
    });
  });

  test('of a long output the beginning and the end are told, cut at whole characters', async () => {
    const output = `begin ${'😀'.repeat(60_000)} the error`;
    const restart: CommandHandler = async () => ({ isSuccess: false, output, exitCode: 1 });
    const { reports, report } = recording();
    await new CommandRunner({ logger, clock: hurried, handlers: { restart } }).run(command('cmd_1'), report);
    const told = reports.at(-1)?.output ?? '';
    const left = Number(/\n\[\.\.\. (\d+) characters left out \.\.\.\]\n/.exec(told)?.[1]);
    expect({
      begins: told.startsWith('begin 😀'),
      ends: told.endsWith('😀 the error'),
      isWhole: told.isWellFormed(),
      fits: told.length <= 65_536 && told.length > 65_000,
      adds: told.replace(/\n\[.*\]\n/, '').length + left,
    }).toEqual({ begins: true, ends: true, isWhole: true, fits: true, adds: output.length });
  });

  test('of many commands that ended it is known how, and of the newest ones what they printed', async () => {
    const { runner } = counting();
    const ids = Array.from({ length: 30 }, (_, at) => `cmd_${at}`);
    for (const id of ids) await runner.run(command(id), recording().report);
    const again = async (id: string) => {
      const { reports, report } = recording();
      await runner.run(command(id), report);
      return reports;
    };
    expect([await again('cmd_29'), await again('cmd_0')]).toEqual([
      [{ status: 'success', output: 'restarted', exit_code: 0 }],
      [{ status: 'success', exit_code: 0 }],
    ]);
  });

  test('commands run one after another', async () => {
    const runner = new CommandRunner({ logger, clock: hurried });
    const order: string[] = [];
    const report =
      (id: string): Report =>
      async ({ status }) => {
        order.push(`${id} ${status}`);
        return { kind: 'ok', answer: undefined };
      };
    await Promise.all([runner.run(command('a'), report('a')), runner.run(command('b'), report('b'))]);
    expect(order.indexOf('a success')).toBeLessThan(order.indexOf('b in_progress'));
  });
});
