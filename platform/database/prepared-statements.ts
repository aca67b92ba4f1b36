import { hash } from 'node:crypto';

import type pg from 'pg';

import type { ProtocolWriter } from './protocol-writer.js';
import { RowShape, type Described } from './row-shape.js';

/** A statement as PostgreSQL parses it, its parameters numbered. */
export class StatementText {
  /**
   * Says what the statement is: were there a pooler in between after all, a name would lead to no other statement than the
   * one that was meant.
   */
  readonly name: string;

  constructor(
    readonly sql: string,
    readonly parameters: number,
  ) {
    this.name = `panel_${hash('sha256', sql, 'base64url').slice(0, 32)}`;
  }
}

/** A statement that one connection knows by name. */
export class PreparedStatement {
  /** What its rows are; the server tells before the first of them comes. */
  described: Described | undefined;
  /** The number of uses of any statement of the connection up to its own last one. */
  lastUse = 0;
  private shape: RowShape | undefined;

  constructor(readonly text: StatementText) {}

  shapeBy(types: pg.CustomTypesConfig): RowShape {
    if (this.shape?.types !== types) this.shape = new RowShape(this.described!, types);
    return this.shape;
  }
}

/**
 * What one connection has had PostgreSQL parse and plan. The least used are forgotten, as clients choose which columns
 * they read, and each keeps its plan in the memory of the connection's server process.
 */
export class PreparedStatements {
  private readonly known = new Map<string, PreparedStatement>();
  private forgotten: StatementText[] = [];
  private uses = 0;

  constructor(private readonly most: number) {}

  /** The statement; where the connection does not know it yet, this message has it parsed first. */
  use(text: StatementText, writer: ProtocolWriter): PreparedStatement {
    this.uses += 1;
    const known = this.known.get(text.name);
    if (known) {
      known.lastUse = this.uses;
      return known;
    }
    const made = new PreparedStatement(text);
    made.lastUse = this.uses;
    if (this.known.size === this.most) this.forget(this.leastUsed());
    this.known.set(text.name, made);
    // First: it may be one of them, of which it is not known whether the server has them.
    for (const { name } of this.forgotten.splice(0)) writer.close(name);
    writer.parse(text.name, text.sql);
    return made;
  }

  private leastUsed(): PreparedStatement {
    return [...this.known.values()].reduce((least, each) => (each.lastUse < least.lastUse ? each : least));
  }

  /** To be parsed anew the next time. */
  forget(statement: PreparedStatement): void {
    if (this.known.get(statement.text.name) !== statement) return;
    this.known.delete(statement.text.name);
    this.forgotten.push(statement.text);
  }
}
