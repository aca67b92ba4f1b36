import pg from 'pg';

import type { Connections } from './connections.js';
import { literal, settingStatements } from './one-message.js';
import { isAway } from './outage.js';
import { patience, withPatience } from './patience.js';

type Row = Record<string, unknown>;

// By itself each has as long as all background work. A table that is being altered is not to hold up what asks of others.
const deadlinesTogether = { lock_timeout: '250ms', statement_timeout: '2s' };

interface Question {
  role: string;
  sql: string;
  answer: (rows: Row[]) => void;
  fail: (error: unknown) => void;
}

/**
 * What a process asks again and again to see whether there is anything for it to do. All that is asked in one turn of the
 * event loop goes in one message, each question as its own role and for no tenant: a message costs more than what most of
 * them ask. Those of one role are answered in their order. Where one of them fails or takes too long, each is asked by
 * itself.
 */
export class Questions {
  private asked: Question[] = [];

  constructor(private readonly connections: Connections) {}

  /** The rows of one statement without parameters, which is not to take long: others wait for its answer. */
  async ask(role: string, sql: string): Promise<Row[]> {
    return new Promise((answer, fail) => {
      this.asked.push({ role, sql, answer, fail });
      if (this.asked.length === 1) setImmediate(() => void this.send());
    });
  }

  private async send(): Promise<void> {
    const questions = this.asked;
    this.asked = [];
    try {
      await this.sendAll(questions);
    } catch (error) {
      if (questions.length === 1 || isAway(error)) for (const { fail } of questions) fail(error);
      else
        await Promise.all(
          [...new Set(questions.map(({ role }) => role))].map(async (role) => {
            for (const each of questions) if (each.role === role) await this.sendAll([each]).catch(each.fail);
          }),
        );
    }
  }

  private async sendAll(questions: readonly Question[]): Promise<void> {
    const sorted = questions.toSorted((a, b) => (a.role < b.role ? -1 : a.role > b.role ? 1 : 0));
    const answers = await withPatience(patience.background, async () =>
      this.connections.use(
        async (client) =>
          (await client.query({ text: textOf(sorted), types: pg.types })) as unknown as pg.QueryResult<Row>[],
      ),
    );
    // Settings have no columns.
    const rows = answers.filter(({ fields }) => fields.length > 0).map((answer) => answer.rows);
    if (rows.length !== sorted.length) throw new Error('each question is one statement that answers rows');
    sorted.forEach(({ answer }, at) => answer(rows[at]!));
  }
}

function textOf(sorted: readonly Question[]): string {
  const isAlone = sorted.length === 1;
  let text = settingStatements({ 'app.tenant_id': '', ...(isAlone ? {} : deadlinesTogether) });
  let before = '';
  for (const { role, sql } of sorted) {
    if (role !== before) text += `set local role = ${literal(role)}; `;
    text += `${sql}; `;
    before = role;
  }
  return text;
}
