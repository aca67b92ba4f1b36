import type pg from 'pg';

import { RowShape, type Described, type Row } from './row-shape.js';

export type Done = (error: Error | null, rows?: Row[]) => void;

/**
 * A message of several statements, of which the last one's rows count. `pg` has the rows of each parsed into objects of
 * several kinds, with an event for each row; for reads on the hot path that is a good part of what they cost. See its
 * `Query`, whose place this takes.
 */
export class MessageQuery {
  private shape: RowShape | undefined;
  private rows: Row[] = [];
  private fault: Error | undefined;

  /** `pg` calls it a second time where the connection is lost after the answer; whoever waits has gone by then. */
  constructor(
    readonly text: string,
    protected readonly types: pg.CustomTypesConfig,
    public callback: Done,
  ) {}

  submit(connection: pg.Connection): undefined {
    connection.query(this.text);
  }

  handleRowDescription(described: Described): void {
    this.shape = new RowShape(described, this.types);
    this.rows = [];
  }

  handleDataRow({ fields }: { fields: (string | null)[] }): void {
    if (this.fault) return;
    try {
      this.rows.push(this.shapeOfRows()!.row(fields));
    } catch (error) {
      this.fault = error as Error;
    }
  }

  handleCommandComplete(): void {
    // Which rows are the last is known at the end.
  }

  handleEmptyQuery(): void {
    this.rows = [];
  }

  handleError(error: Error): void {
    this.callback(this.fault ?? error);
  }

  handleReadyForQuery(): void {
    if (this.fault) this.callback(this.fault);
    else this.callback(null, this.rows);
  }

  protected shapeOfRows(): RowShape | undefined {
    return this.shape;
  }
}
