import pg from 'pg';

type Done = (error: Error | null | undefined, answer: pg.QueryResult) => void;

/** What `pg` keeps of a query and tells it; its types name none of it. */
interface Protocol {
  parse(statement: { text: string }): void;
  bind(portal: { values: readonly unknown[] }): void;
  execute(portal: { rows: number }): void;
}

interface Internals {
  prepare(connection: Protocol): void;
  handleDataRow(row: unknown): void;
  handleCommandComplete(told: unknown, connection: unknown): void;
}

const base = pg.Query.prototype as unknown as Internals;

/**
 * A statement with parameters and a statement of settings before it, sent together and answered together. PostgreSQL takes
 * what stands before one Sync as one transaction, in which `set_config(..., true)` holds and after which it does not: the
 * settings' failure keeps the statement from running, and the statement's own undoes everything. What is not a value that
 * can be bound fails here, after the settings alone.
 */
export class SettledQuery extends pg.Query {
  #isSettled = false;

  constructor(
    private readonly settings: string,
    { text, values }: { text: string; values: unknown[] },
    done: Done,
  ) {
    super({ text, values, types: pg.types }, done as never);
  }

  prepare(connection: Protocol): void {
    connection.parse({ text: this.settings });
    connection.bind({ values: [] });
    connection.execute({ rows: 0 });
    base.prepare.call(this, connection);
  }

  handleDataRow(row: unknown): void {
    if (this.#isSettled) base.handleDataRow.call(this, row);
  }

  handleCommandComplete(told: unknown, connection: unknown): void {
    if (this.#isSettled) base.handleCommandComplete.call(this, told, connection);
    else this.#isSettled = true;
  }
}
