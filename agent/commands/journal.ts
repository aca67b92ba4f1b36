import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';

import { z } from 'zod';

import { isMissing, replaceFile } from '../durable-file.js';
import type { AgentLogger } from '../logger.js';
import type { AgentCommand } from '../protocol.js';
import { Storing } from '../storing.js';
import type { CommandReport } from './report.js';

/** A command that the panel was told of, and whose end it may not know. */
export interface JournalEntry {
  readonly id: string;
  readonly lease: string | number;
  /** What is to be done; absent once it has begun. */
  readonly waiting?: Pick<AgentCommand, 'command' | 'params'> | undefined;
  /** How it ended; absent while it runs. */
  readonly result?: CommandReport | undefined;
}

const stored = z.array(
  z.object({
    id: z.string().min(1),
    lease: z.union([z.string(), z.number()]),
    waiting: z.object({ command: z.string(), params: z.record(z.string(), z.unknown()) }).optional(),
    result: z
      .object({
        status: z.enum(['success', 'failed']),
        output: z.string().optional(),
        exit_code: z.number().optional(),
      })
      .optional(),
  }),
);

/**
 * What a node owes the panel an answer for, in a small file: by it the agent tells after a restart how commands ended
 * that were under way, instead of leaving the panel to wait until they time out. It never keeps a command from running.
 */
export class CommandJournal {
  private readonly entries = new Map<string, JournalEntry>();
  private writing: Promise<void> = Promise.resolve();
  /** Those that the file has as not begun. */
  private waiting = new Set<string>();
  private readonly storing: Storing;

  constructor(
    private readonly file: string,
    private readonly logger: AgentLogger,
  ) {
    this.storing = new Storing(logger, {
      file,
      failed: 'The journal of commands can not be written',
      again: 'The journal of commands is written again',
    });
  }

  /** What was open when the agent last ended. */
  async open(): Promise<JournalEntry[]> {
    try {
      const found = stored.parse(JSON.parse(await readFile(this.file, 'utf8')));
      for (const entry of found) if (!this.entries.has(entry.id)) this.entries.set(entry.id, entry);
      this.waiting = waitingIn(found);
      return found;
    } catch (error) {
      if (!isMissing(error)) this.logger.error({ err: error }, 'The journal of commands can not be read');
      return [];
    }
  }

  /**
   * Resolves once it is on disk, or can't be. False where the file has it as not begun and can neither be replaced nor
   * removed: after a restart it would begin again.
   */
  async note(entry: JournalEntry): Promise<boolean> {
    this.entries.set(entry.id, entry);
    await this.write();
    return entry.waiting !== undefined || !this.waiting.has(entry.id);
  }

  /** The panel knows how it ended, or does not want to. */
  async forget(id: string): Promise<void> {
    if (this.entries.delete(id)) return this.write();
  }

  private async write(): Promise<void> {
    this.writing = this.writing.then(async () => {
      try {
        await mkdir(path.dirname(this.file), { recursive: true, mode: 0o700 });
        const entries = [...this.entries.values()];
        await replaceFile(this.file, `${JSON.stringify(entries, undefined, 2)}\n`);
        this.waiting = waitingIn(entries);
        this.storing.worked();
      } catch (error) {
        this.storing.failed(error);
        // By what it told before, a command that has begun would begin again.
        await rm(this.file, { force: true }).then(
          () => this.waiting.clear(),
          () => undefined,
        );
      }
    });
    return this.writing;
  }
}

function waitingIn(entries: readonly JournalEntry[]): Set<string> {
  return new Set(entries.filter(({ waiting }) => waiting !== undefined).map(({ id }) => id));
}
