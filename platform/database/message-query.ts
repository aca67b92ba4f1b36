import type pg from 'pg';

/** What `pg` tells a query of: see its `Query`, whose place this takes. */
interface Described {
  fields: { name: string; dataTypeID: number; format: 'text' | 'binary' }[];
}

type Parse = (text: string) => unknown;
type Row = Record<string, unknown>;
type Done = (error: Error | null, rows?: Row[]) => void;

/**
 * A message of several statements, of which the last one's rows count. `pg` has the rows of each parsed into objects of
 * several kinds, with an event for each row; for reads on the hot path that is a good part of what they cost.
 */
export class MessageQuery {
  private names: string[] = [];
  /** A row with nothing in it: copies of it are all alike. */
  private blank: Row = {};
  private parsers: Parse[] = [];
  private rows: Row[] = [];
  private fault: Error | undefined;

  /** `pg` calls it a second time where the connection is lost after the answer; whoever waits has gone by then. */
  constructor(
    readonly text: string,
    private readonly types: pg.CustomTypesConfig,
    public callback: Done,
  ) {}

  submit(connection: { query: (text: string) => void }): undefined {
    connection.query(this.text);
  }

  handleRowDescription({ fields }: Described): void {
    this.names = fields.map(({ name }) => name);
    this.parsers = fields.map(
      ({ dataTypeID, format }) => this.types.getTypeParser(dataTypeID, format) as Parse,
    );
    this.blank = Object.fromEntries(this.names.map((name) => [name, null]));
    this.rows = [];
  }

  handleDataRow({ fields }: { fields: (string | null)[] }): void {
    if (this.fault) return;
    const row: Row = { ...this.blank };
    try {
      for (let at = 0; at < fields.length; at += 1) {
        const text = fields[at]!;
        if (text !== null) row[this.names[at]!] = this.parsers[at]!(text);
      }
    } catch (error) {
      this.fault = error as Error;
    }
    this.rows.push(row);
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
}
