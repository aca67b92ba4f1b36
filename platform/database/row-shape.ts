import type pg from 'pg';

/** What `pg` tells of the columns of an answer. */
export interface Described {
  fields: { name: string; dataTypeID: number; format: 'text' | 'binary' }[];
}

export type Row = Record<string, unknown>;
type Parse = (text: string) => unknown;

/** How rows are made of what the server sends for their columns. */
export class RowShape {
  private readonly names: readonly string[];
  private readonly parsers: readonly Parse[];
  /** A row with nothing in it: copies of it are all alike. */
  private readonly blank: Row;

  constructor(
    { fields }: Described,
    readonly types: pg.CustomTypesConfig,
  ) {
    this.names = fields.map(({ name }) => name);
    this.parsers = fields.map(({ dataTypeID, format }) => types.getTypeParser(dataTypeID, format) as Parse);
    this.blank = Object.fromEntries(this.names.map((name) => [name, null]));
  }

  /** Throws what a parser throws. */
  row(texts: readonly (string | null)[]): Row {
    const row: Row = { ...this.blank };
    for (let at = 0; at < texts.length; at += 1) {
      const text = texts[at]!;
      if (text !== null) row[this.names[at]!] = this.parsers[at]!(text);
    }
    return row;
  }
}
