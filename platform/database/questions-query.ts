import type pg from 'pg';

import type { PreparedStatement, PreparedStatements, StatementText } from './prepared-statements.js';
import { ProtocolWriter, type BoundValue } from './protocol-writer.js';
import type { Described, Row } from './row-shape.js';

/** A statement with its values, one of several in a message. */
export interface BoundStatement {
  text: StatementText;
  values: readonly BoundValue[];
}

type Done = (error: Error | null, answers?: Row[][]) => void;

const writer = new ProtocolWriter();

/**
 * Several prepared statements in one message, which is one transaction: the rows of each. `MessageQuery` is for the rows
 * of the last one.
 */
export class QuestionsQuery {
  private used: PreparedStatement[] = [];
  private answers: Row[][] = [];
  private fault: Error | undefined;

  constructor(
    private readonly statements: PreparedStatements,
    private readonly asked: readonly BoundStatement[],
    private readonly types: pg.CustomTypesConfig,
    public callback: Done,
  ) {}

  /** For traces. */
  get text(): string {
    return this.asked.map(({ text }) => text.sql).join('; ');
  }

  submit({ stream }: pg.Connection): undefined {
    this.used = this.asked.map(({ text, values }) => {
      const statement = this.statements.use(text, writer);
      if (!statement.described) writer.describe(text.name);
      writer.bind(text.name, values).execute();
      return statement;
    });
    this.answers = [[]];
    const message = writer.sync().take();
    // Where it is not, the connection is about to end, and all that wait with it.
    if (stream.writable) stream.write(message);
  }

  handleRowDescription(described: Described): void {
    this.current.described = described;
  }

  handleDataRow({ fields }: { fields: (string | null)[] }): void {
    if (this.fault) return;
    try {
      this.answers.at(-1)!.push(this.current.shapeBy(this.types).row(fields));
    } catch (error) {
      this.fault = error as Error;
    }
  }

  handleCommandComplete(): void {
    this.answers.push([]);
  }

  handleEmptyQuery(): void {
    this.answers.push([]);
  }

  handleError(error: Error): void {
    for (const statement of this.used) this.statements.forget(statement);
    this.callback(this.fault ?? error);
  }

  handleReadyForQuery(): void {
    if (this.fault) this.callback(this.fault);
    else this.callback(null, this.answers.slice(0, -1));
  }

  /** Whose answer comes just now. */
  private get current(): PreparedStatement {
    return this.used[this.answers.length - 1]!;
  }
}
