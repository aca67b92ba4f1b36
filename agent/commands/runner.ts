import { systemClock, type Clock } from '../clock.js';
import type { AgentLogger } from '../logger.js';
import { Backoff, politeDelay } from '../pace.js';
import type { Outcome } from '../panel-client.js';
import type { AgentCommand } from '../protocol.js';
import { runDiagnostics } from './diagnostics.js';
import type { CommandHandler, CommandResult } from './handler.js';
import type { CommandJournal } from './journal.js';
import { printable, type CommandReport, type Report } from './report.js';
import { simulatedHandlers } from './simulated.js';

export interface CommandRunnerOptions {
  readonly logger: AgentLogger;
  readonly clock?: Clock;
  /** A simulated update is over: this is the version from now on. */
  readonly onUpdated?: (version: string) => void;
  /** Kinds of commands that are done by these instead, or that are known besides. */
  readonly handlers?: Readonly<Record<string, CommandHandler>>;
  /** Where it is kept what the panel is owed an answer for; without, a restart leaves the panel to find out. */
  readonly journal?: CommandJournal;
}

interface Taken {
  report: Report;
  /** Set once it has ended. */
  result?: CommandReport;
}

/** Statuses that blame the body. */
const unacceptable = new Set([400, 413, 422]);

/** Of a command that was under way when the agent ended without a word. */
const interrupted: CommandReport = {
  status: 'failed',
  output: 'Interrupted: the agent ended while it was at it',
};

/** How many commands are remembered, to know one that comes again. */
const remembered = 1_000;

/**
 * Runs the commands of one node, one after another. A command begins only once the panel has acknowledged that the node
 * took it, and from then on the panel does not hand it out again: so it runs at most once, also over a restart of the
 * agent, which by its journal tells how it ended. One that comes again is known by its id.
 */
export class CommandRunner {
  private readonly taken = new Map<string, Taken>();
  private readonly handlers: Readonly<Record<string, CommandHandler>>;
  private readonly clock: Clock;
  private readonly ending = new AbortController();
  private queue: Promise<void> = Promise.resolve();

  constructor(private readonly options: CommandRunnerOptions) {
    this.clock = options.clock ?? systemClock;
    this.handlers = {
      ...simulatedHandlers((version) => options.onUpdated?.(version)),
      run_diagnostics: runDiagnostics,
      ...options.handlers,
    };
  }

  /** Resolves when the command has ended and the panel knows. */
  async run(command: AgentCommand, report: Report): Promise<void> {
    const known = this.taken.get(command.id);
    if (known) {
      known.report = report;
      if (known.result) await this.tellEnd(command.id, known, known.result);
      return;
    }
    const taken: Taken = { report };
    this.taken.set(command.id, taken);
    const [oldest] = this.taken.keys();
    if (oldest !== undefined && this.taken.size > remembered) this.taken.delete(oldest);
    const work = this.queue.then(async () => this.work(command, taken));
    this.queue = work.catch(() => undefined);
    return work;
  }

  /**
   * Tells the panel how those commands ended that were under way when the agent last ended. One that it was to begin, of
   * which the panel may know, begins now.
   */
  async resume(reporter: (command: { id: string; lease: string | number }) => Report): Promise<void> {
    const open = (await this.options.journal?.open()) ?? [];
    await Promise.all(
      open.map(async ({ id, lease, waiting, result = interrupted }) => {
        if (this.taken.has(id)) return;
        if (waiting) return this.run({ id, lease, ...waiting }, reporter({ id, lease }));
        const taken: Taken = { report: reporter({ id, lease }), result };
        this.taken.set(id, taken);
        await this.tellEnd(id, taken, result);
      }),
    );
  }

  /** Breaks off what runs, tells the panel if it can be told at once, and takes up nothing more. */
  stop(): void {
    this.ending.abort(new Error('The agent was stopped while at it'));
  }

  private async work(command: AgentCommand, taken: Taken): Promise<void> {
    const { logger } = this.options;
    if (this.ending.signal.aborted) return;
    const { id, lease, command: kind, params } = command;
    await this.options.journal?.note({ id, lease, waiting: { command: kind, params } });
    const begun = await this.tell(taken, { status: 'in_progress', progress: 0 });
    if (begun.kind !== 'ok') {
      // It was cancelled, or handed to this node in vain too long; or it comes again with another beat.
      logger.warn({ command: id, reason: begun.message }, 'The panel takes the command back');
      this.taken.delete(id);
      // Where the agent is stopped while the panel does not answer, that may know of it all the same.
      if (begun.kind !== 'unavailable') await this.options.journal?.forget(id);
      return;
    }
    await this.options.journal?.note({ id, lease });
    logger.info({ command: id, kind }, 'A command has begun');
    const { isSuccess, output, exitCode } = await this.perform(command, taken);
    taken.result = {
      status: isSuccess ? 'success' : 'failed',
      output: printable(output),
      exit_code: exitCode,
    };
    await this.options.journal?.note({ id, lease, result: taken.result });
    const told = await this.tellEnd(id, taken, taken.result);
    logger.info({ command: id, result: taken.result.status, told: told.kind }, 'A command has ended');
  }

  private async perform(command: AgentCommand, taken: Taken): Promise<CommandResult> {
    const handler = Object.hasOwn(this.handlers, command.command)
      ? this.handlers[command.command]
      : undefined;
    if (!handler) {
      return {
        isSuccess: false,
        output: `This node does not know the command ${command.command}`,
        exitCode: 127,
      };
    }
    try {
      return await handler({
        params: command.params,
        clock: this.clock,
        signal: this.ending.signal,
        progress: async (percent, output) => {
          await taken.report({
            status: 'in_progress',
            progress: percent,
            output: printable(output),
          });
        },
      });
    } catch (error) {
      return {
        isSuccess: false,
        output: error instanceof Error ? error.message : String(error),
        exitCode: 1,
      };
    }
  }

  private async tellEnd(id: string, taken: Taken, result: CommandReport): Promise<Outcome<undefined>> {
    const told = await this.tellWithout(taken, result);
    if (told.kind === 'ok' || told.kind === 'refused') await this.options.journal?.forget(id);
    return told;
  }

  /** How it ended matters more than what it printed. */
  private async tellWithout(taken: Taken, result: CommandReport): Promise<Outcome<undefined>> {
    const told = await this.tell(taken, result);
    if (told.kind !== 'refused' || !unacceptable.has(told.status)) return told;
    this.options.logger.warn({ reason: told.message }, 'The panel does not take the output of a command');
    const { output: _, ...bare } = result;
    return this.tell(taken, bare);
  }

  /** Until the panel has taken it, or has said that it will not. */
  private async tell(taken: Taken, report: CommandReport): Promise<Outcome<undefined>> {
    const backoff = new Backoff(Math.random, 1_000, 60_000);
    for (;;) {
      const under = taken.report;
      const outcome = await under(report);
      if (this.ending.signal.aborted) return outcome;
      // It was handed out again while the panel refused the lease before.
      if (outcome.kind === 'refused' && taken.report !== under) continue;
      if (!isForNow(outcome)) return outcome;
      const retryAfterMs = outcome.kind === 'unavailable' ? outcome.retryAfterMs : undefined;
      const waitMs = retryAfterMs === undefined ? backoff.next() : politeDelay(retryAfterMs, Math.random);
      await this.clock.delay(waitMs, this.ending.signal).catch(() => undefined);
    }
  }
}

/**
 * Whether the same report may be taken another time. The panel may refuse to hear the node at all (401, or 403 while its
 * tenant is suspended): that says nothing of the command, which was done all the same.
 */
function isForNow(outcome: Outcome<undefined>): boolean {
  const { kind } = outcome;
  return kind === 'unavailable' || kind === 'unauthorized' || (kind === 'refused' && outcome.status === 403);
}
