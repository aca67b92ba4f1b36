import pg from 'pg';

import type { Connections, TakenClient } from './connections.js';
import { inOneMessage, literal, type ReadValue } from './one-message.js';
import { isAway } from './outage.js';
import { currentPatience, deadlineSettings, patience, withPatience } from './patience.js';
import { boundValue, numbered } from './prepared-read.js';
import { StatementText } from './prepared-statements.js';
import { QuestionsQuery, type BoundStatement } from './questions-query.js';

type Row = Record<string, unknown>;

// By itself each has as long as all background work. A table that is being altered is not to hold up what asks of others.
const deadlinesTogether = { lock_timeout: '250ms', statement_timeout: '2s' };

interface Question {
  role: string;
  sql: string;
  values: readonly ReadValue[];
  answer: (rows: Row[]) => void;
  fail: (error: unknown) => void;
}

/**
 * What a process asks again and again to see whether there is anything for it to do. All that is asked in one turn of the
 * event loop goes in one message, each question as its own role and for no tenant: a message costs more than what most of
 * them ask. Each is parsed and planned once for a connection, which costs more than a message. Those of one role are
 * answered in their order. Where one of them fails or takes too long, each is asked by itself.
 */
export class Questions {
  private asked: Question[] = [];

  constructor(private readonly connections: Connections) {}

  /** The rows of one statement, with the values in the place of `?`, which is not to take long: others wait for its answer. */
  async ask(role: string, sql: string, values: readonly ReadValue[] = []): Promise<Row[]> {
    return new Promise((answer, fail) => {
      this.asked.push({ role, sql, values, answer, fail });
      if (this.asked.length === 1) setImmediate(() => void this.send());
    });
  }

  private async send(): Promise<void> {
    const questions = this.asked.toSorted((a, b) => (a.role < b.role ? -1 : a.role > b.role ? 1 : 0));
    this.asked = [];
    try {
      const answers = await withPatience(patience.background, async () =>
        this.connections.use(async (client) => askTogether(client, questions)),
      );
      questions.forEach(({ answer }, at) => answer(answers[at]!));
    } catch (error) {
      if (isAway(error)) for (const { fail } of questions) fail(error);
      else await this.askEach(questions);
    }
  }

  /** Each in a transaction of its own, those of one role one after the other. */
  private async askEach(questions: readonly Question[]): Promise<void> {
    await withPatience(patience.background, async () =>
      Promise.all(
        [...new Set(questions.map(({ role }) => role))].map(async (asking) => {
          for (const { role, sql, values, answer, fail } of questions) {
            if (role !== asking) continue;
            const settings = { role, 'app.tenant_id': '' };
            await inOneMessage<Row>(this.connections, settings, sql, values).then(answer, fail);
          }
        }),
      ),
    );
  }
}

/** The rows of each, in one transaction. */
async function askTogether(client: TakenClient, sorted: readonly Question[]): Promise<Row[][]> {
  const message: BoundStatement[] = [];
  const places: number[] = [];
  let before = '';
  for (const { role, sql, values } of sorted) {
    if (role !== before) message.push({ text: opening(), values: [role] });
    places.push(message.push({ text: numbered(typed(sql, values)), values: values.map(boundValue) }) - 1);
    before = role;
  }
  const answers = await new Promise<Row[][]>((resolve, reject) => {
    const query = new QuestionsQuery(client.statements, message, pg.types, (error, found) =>
      error ? reject(error) : resolve(found!),
    );
    client.query(query as unknown as pg.Submittable);
  });
  return places.map((at) => answers[at]!);
}

/** Where a time is taken off another, PostgreSQL would not know a parameter's type. */
function typed(sql: string, values: readonly ReadValue[]): string {
  if (!values.some((value) => value instanceof Date)) return sql;
  let at = 0;
  return sql.replaceAll('?', () => (values[at++] instanceof Date ? '?::timestamptz' : '?'));
}

let made: StatementText | undefined;

/** Makes the settings of a role, and has no rows, which would have to be read. */
function opening(): StatementText {
  if (!made) {
    const fixed = { ...deadlineSettings(currentPatience()), ...deadlinesTogether, 'app.tenant_id': '' };
    const settings = Object.entries(fixed).map(
      ([name, value]) => `set_config(${literal(name)}, ${literal(value)}, true)`,
    );
    made = new StatementText(
      `select where (${settings.join(' || ')} || set_config('role', $1, true)) is null`,
      1,
    );
  }
  return made;
}
