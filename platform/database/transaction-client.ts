import type { PostgresPoolClient, PostgresQueryResult } from 'kysely';

import type { TakenClient } from './connections.js';
import { isLostAnswer, markInDoubt } from './outage.js';

const begin = /^(begin|start transaction)\b/;
// What only says how the transaction is to be: nobody looks at the answer.
const settings = /^(select set_config\(|set local )/;
/**
 * What may change something. A transaction of anything else has nothing to be in doubt about; functions that a SELECT
 * calls guard (count an attempt, use a link up) what other statements do.
 */
const change = /\b(insert\s+into|update|delete\s+from|merge\s+into)\b/i;
const ends = /^(commit|rollback)$/;
const nothing = { command: 'SELECT' as const, rowCount: 0, rows: [] };

/**
 * A connection as kysely and MikroORM take it. What opens a transaction (BEGIN, and the session's settings behind it) is
 * sent in one message with the first statement that does something: one round trip for three. If that statement never
 * comes, nothing was begun. The server runs a message up to the first error, so a statement never runs without the
 * settings in front of it. A COMMIT whose answer is lost leaves it in doubt whether anything was done, and its error says
 * so.
 */
export class TransactionClient implements PostgresPoolClient {
  private held: string[] = [];
  /** In the transaction that is open. */
  private sent: string[] | undefined;

  constructor(private readonly client: TakenClient) {}

  /** Of the server's process, as kysely asks for it to cancel a statement. */
  get processID(): number {
    return (this.client as unknown as { processID: number }).processID;
  }

  release(): void {
    this.held = [];
    this.sent = undefined;
    this.client.release();
  }

  readonly query = (async <Row>(sql: string, values: readonly unknown[]) => {
    if (this.held.length === 0 ? begin.test(sql) : settings.test(sql)) {
      this.held.push(sql);
      return nothing;
    }
    const opening = this.held;
    this.held = [];
    if (opening.length > 0 && ends.test(sql)) return nothing;
    if (opening.length > 0) this.sent = [];
    // A message of several statements takes no parameters.
    if (opening.length > 0 && values.length === 0) {
      this.sent?.push(sql);
      const answers: unknown = await this.client.query([...opening, sql].join('; '));
      return (answers as PostgresQueryResult<Row>[]).at(-1);
    }
    if (opening.length > 0) await this.client.query(opening.join('; '));
    return this.ask(sql, values);
  }) as PostgresPoolClient['query'];

  private async ask(sql: string, values: readonly unknown[]): Promise<unknown> {
    const { sent } = this;
    if (ends.test(sql)) this.sent = undefined;
    else sent?.push(sql);
    try {
      return await this.client.query(sql, [...values]);
    } catch (error) {
      // Outside a transaction a statement is its own; inside nothing is done before the end.
      const done = sent && sql !== 'commit' ? [] : (sent ?? [sql]);
      throw isLostAnswer(error) && done.some((text) => change.test(text)) ? markInDoubt(error) : error;
    }
  }
}
