import type pg from 'pg';

import type { Connections } from '../database/connections.js';
import { literal, settingStatements } from '../database/one-message.js';
import { patience, withPatience } from '../database/patience.js';
import { areaRoles } from '../database/roles.js';
import type { Logger } from '../logger.js';

interface Question {
  role: string;
  rows: string;
  answer: (isDue: boolean) => void;
}

/**
 * Asks for sweeps whether there is anything for them to do, so that one with nothing to do costs no transaction. All that
 * ask in the same turn of the event loop share one message. Where no answer comes, it is taken to be yes: the sweep meets
 * the failure itself, and tells of it.
 */
export class DueQuestions {
  private asked: Question[] = [];

  constructor(
    private readonly connections: Connections,
    private readonly logger: Logger,
  ) {}

  /** Whether `sql`, with `now` for each `?`, has a row for the area's jobs role. */
  async isDue(area: string, sql: string, now: Date): Promise<boolean> {
    return new Promise((answer) => {
      this.asked.push({ role: areaRoles(area).jobs, rows: sql.replaceAll('?', literal(now)), answer });
      if (this.asked.length === 1) setImmediate(() => void this.ask());
    });
  }

  private async ask(): Promise<void> {
    const questions = this.asked;
    this.asked = [];
    try {
      const answers: unknown = await withPatience(patience.background, async () =>
        this.connections.use(async (client) => client.query(questions.map(textOf).join('; '))),
      );
      const rows = (answers as pg.QueryResult<{ isDue: boolean }>[]).flatMap((answer) => answer.rows);
      questions.forEach(({ answer }, index) => answer(rows[index]?.isDue ?? true));
    } catch (error) {
      this.logger.warn({ err: error }, 'it could not be asked which background steps have something to do');
      for (const { answer } of questions) answer(true);
    }
  }
}

function textOf({ role, rows }: Question): string {
  return `${settingStatements({ role, 'app.tenant_id': '' })}select exists (${rows}) as "isDue"`;
}
