import pg from 'pg';

import { areaRoles } from './roles.js';

export type ReadValue = string | number | boolean | Date | null;

export interface ReadOptions {
  /** How columns with a time come: as Dates, or as the text that `DateTime` shows, for what is only shown. */
  times?: 'dates' | 'text';
}

/**
 * Reads as one tenant in one round trip, for lists and other reads on the hot path: an entity manager takes four (begin,
 * session settings, statement, commit) and makes entities of rows. PostgreSQL runs the statements of one message as one
 * transaction, so the role and the tenant hold for the read that stands behind them and for nothing after it.
 */
export class TenantReads {
  private readonly pool: pg.Pool;
  private readonly role: string;

  constructor(url: string, area: string, size: number) {
    this.role = pg.escapeLiteral(areaRoles(area).app);
    this.pool = new pg.Pool({ connectionString: url, max: size, keepAlive: true });
    // A connection lost while idle is replaced at the next use.
    this.pool.on('error', () => undefined);
  }

  /** `?` stands for the values, which become literals: a message of several statements takes no parameters. */
  async select<Row extends pg.QueryResultRow>(
    tenantId: string,
    sql: string,
    values: readonly ReadValue[],
    { times = 'dates' }: ReadOptions = {},
  ): Promise<Row[]> {
    const settings = `select set_config('role', ${this.role}, true), set_config('app.tenant_id', ${literal(tenantId)}, true)`;
    const text = `${settings}; ${withLiterals(sql, values)}`;
    const answers: unknown = await this.pool.query(times === 'text' ? { text, types: shownTimes } : { text });
    const [, answer] = answers as [pg.QueryResult, pg.QueryResult<Row>];
    return answer.rows;
  }

  async close(): Promise<void> {
    await this.pool.end();
  }
}

/** Making Dates of times and text of Dates is half of what reading a long list costs. */
const shownTimes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text') =>
    oid === pg.types.builtins.TIMESTAMPTZ ? shownTime : pg.types.getTypeParser(oid, format)) as never,
};

/** `2025-01-15 10:30:00.12+00` as `2025-01-15T10:30:00.120Z`. */
export function shownTime(text: string): string {
  // Another time zone, a year of five digits or before Christ: left to Date, as are infinities, which fail.
  if (!text.endsWith('+00') || text.charCodeAt(10) !== space) return new Date(parseTime(text)).toISOString();
  const milliseconds = text.length === 22 ? '000' : text.slice(20, -3).padEnd(3, '0').slice(0, 3);
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${milliseconds}Z`;
}

const space = 32;
const parseTime = pg.types.getTypeParser(pg.types.builtins.TIMESTAMPTZ) as (text: string) => Date;

function withLiterals(sql: string, values: readonly ReadValue[]): string {
  const parts = sql.split('?');
  if (parts.length !== values.length + 1) throw new Error('a read has a value for each of its placeholders');
  return parts.map((part, at) => part + (at < values.length ? literal(values[at]!) : '')).join('');
}

function literal(value: ReadValue): string {
  if (value === null) return 'null';
  if (value instanceof Date) return `'${value.toISOString()}'::timestamptz`;
  if (typeof value !== 'string') return String(value);
  // It would end the message.
  if (value.includes('\0')) throw new Error('text of a read has no null characters');
  return pg.escapeLiteral(value);
}
