import type { PostgresPoolClient, PostgresQueryResult } from 'kysely';

import type { TakenClient } from './connections.js';

const begin = /^(begin|start transaction)\b/;
// What only says how the transaction is to be: nobody looks at the answer.
const settings = /^(select set_config\(|set local )/;
const nothing = { command: 'SELECT' as const, rowCount: 0, rows: [] };

/**
 * A connection as kysely and MikroORM take it. What opens a transaction (BEGIN, and the session's settings behind it) is
 * sent in one message with the first statement that does something: one round trip for three. If that statement never
 * comes, nothing was begun. The server runs a message up to the first error, so a statement never runs without the
 * settings in front of it.
 */
export class TransactionClient implements PostgresPoolClient {
  private held: string[] = [];

  constructor(private readonly client: TakenClient) {}

  /** Of the server's process, as kysely asks for it to cancel a statement. */
  get processID(): number {
    return (this.client as unknown as { processID: number }).processID;
  }

  release(): void {
    this.held = [];
    this.client.release();
  }

  readonly query = (async <Row>(sql: string, values: readonly unknown[]) => {
    if (this.held.length === 0 ? begin.test(sql) : settings.test(sql)) {
      this.held.push(sql);
      return nothing;
    }
    const opening = this.held;
    this.held = [];
    if (opening.length > 0 && (sql === 'commit' || sql === 'rollback')) return nothing;
    // A message of several statements takes no parameters.
    if (opening.length > 0 && values.length === 0) {
      const answers: unknown = await this.client.query([...opening, sql].join('; '));
      return (answers as PostgresQueryResult<Row>[]).at(-1);
    }
    if (opening.length > 0) await this.client.query(opening.join('; '));
    return this.client.query(sql, [...values]);
  }) as PostgresPoolClient['query'];
}
