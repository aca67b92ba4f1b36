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
  /** How often the panel is told that a command goes on, and says whether it still counts; a minute unless told. */
  readonly wordEveryMs?: number;
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

/** Of one that would run twice. */
const unnoted: CommandResult = {
  isSuccess: false,
  output: 'Not begun: the journal of commands can not be written, and after a restart it would begin again',
  exitCode: 1,
};

/** How many commands are remembered, to know one that comes again, and of how many of them what they printed. */
const remembered = { commands: 1_000, outputs: 20 };

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
  /** Those of which it is still known what they printed, as told. */
  private readonly printed: string[] = [];
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
    this.forgetOldest();
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
    const isNoted = (await this.options.journal?.note({ id, lease })) ?? true;
    logger.info({ command: id, kind }, 'A command has begun');
    const { isSuccess, output, exitCode } = isNoted ? await this.perform(command, taken) : unnoted;
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
    const over = new AbortController();
    const signal = AbortSignal.any([this.ending.signal, over.signal]);
    const tell = async (word: CommandReport) => {
      const outcome = await taken.report(word);
      if (outcome.kind === 'refused' && outcome.reason === 'COMMAND_FINISHED')
        over.abort(new Error('Broken off: the panel has ended the command, as its time was over'));
    };
    // In real time whatever the agent's clock is: it bounds what hangs.
    const words = setInterval(() => void tell({ status: 'in_progress' }), this.options.wordEveryMs ?? 60_000);
    try {
      const work = handler({
        params: command.params,
        clock: this.clock,
        signal,
        progress: async (percent, output) =>
          tell({ status: 'in_progress', progress: percent, output: printable(output) }),
      });
      return await unlessAborted(work, signal);
    } catch (error) {
      return {
        isSuccess: false,
        output: error instanceof Error ? error.message : String(error),
        exitCode: 1,
      };
    } finally {
      clearInterval(words);
    }
  }

  /** One that has not ended is never forgotten: it would run again when it comes again. */
  private forgetOldest(): void {
    if (this.taken.size <= remembered.commands) return;
    for (const [id, { result }] of this.taken) {
      if (result) return void this.taken.delete(id);
    }
  }

  /** A thousand outputs are more than a small machine has room for. */
  private forgetOutputs(id: string): void {
    this.printed.push(id);
    if (this.printed.length <= remembered.outputs) return;
    const taken = this.taken.get(this.printed.shift()!);
    if (!taken?.result) return;
    const { output: _, ...bare } = taken.result;
    taken.result = bare;
  }

  private async tellEnd(id: string, taken: Taken, result: CommandReport): Promise<Outcome<undefined>> {
    const told = await this.tellWithout(taken, result);
    if (told.kind === 'ok' || told.kind === 'refused') {
      await this.options.journal?.forget(id);
      this.forgetOutputs(id);
    }
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

/** What does not heed the signal is left behind: the commands after it are not to wait for it. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  // Whichever loses is nobody's error.
  work.catch(() => undefined);
  aborted.catch(() => undefined);
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/**
 * Whether the same report may be taken another time. The panel may refuse to hear the node at all (401, or 403 while its
 * tenant is suspended), and something before it may answer in its place, or send elsewhere: that says nothing of the
 * command, which was done all the same.
 */
function isForNow(outcome: Outcome<undefined>): boolean {
  if (outcome.kind !== 'refused') return outcome.kind !== 'ok';
  const { status, isStranger } = outcome;
  return status < 400 || status === 403 || (isStranger === true && !unacceptable.has(status));
}
