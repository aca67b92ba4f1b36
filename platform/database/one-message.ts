import pg from 'pg';

import { MessageQuery } from './message-query.js';
import { currentPatience, deadlineSettings, patience, type Patience } from './patience.js';

export type ReadValue = string | number | boolean | Date | null;

/** What a message needs of a connection. */
export interface MessageConnection {
  query(query: pg.Submittable): unknown;
  release(): void;
}

/**
 * Runs one statement in one round trip, as the role and with the settings given: an entity manager takes four (begin,
 * session settings, statement, commit) and makes entities of rows. PostgreSQL runs the statements of one message as one
 * transaction, so the settings hold for the statement that stands behind them and for nothing after it; the answer comes
 * after the commit. `?` stands for the values, which become literals: a message of several statements takes no
 * parameters.
 */
export async function inOneMessage<Row extends pg.QueryResultRow>(
  connections: { take(): Promise<MessageConnection> },
  settings: Readonly<Record<string, string>>,
  sql: string,
  values: readonly ReadValue[],
  types: pg.CustomTypesConfig = pg.types,
  /** Statements that run first, with a semicolon behind each. */
  before = '',
): Promise<Row[]> {
  const text = `${settingStatements(settings)}${before}${withLiterals(sql, values)}`;
  const client = await connections.take();
  try {
    return await new Promise<Row[]>((resolve, reject) => {
      const query = new MessageQuery(text, types, (error, rows) => {
        if (error) reject(error);
        else resolve(rows as Row[]);
      });
      client.query(query as unknown as pg.Submittable);
    });
  } catch (error) {
    // Leads to those who asked, and not to the socket that had the answer.
    if (error instanceof Error) Error.captureStackTrace(error);
    throw error;
  } finally {
    client.release();
  }
}

let latest = { patience: patience.request as Patience, sql: '' };

/** A statement for each setting, and for the deadlines in force, each with a semicolon behind it. Unlike a call of `set_config` they have no rows, which would have to be read. */
export function settingStatements(settings: Readonly<Record<string, string>>): string {
  const { patience: known, sql } = latest;
  const asked = currentPatience();
  if (asked !== known || sql === '') latest = { patience: asked, sql: statementsOf(deadlineSettings(asked)) };
  return latest.sql + statementsOf(settings);
}

function statementsOf(settings: Readonly<Record<string, string>>): string {
  let sql = '';
  for (const name of Object.keys(settings)) sql += `set local ${name} = ${literal(settings[name]!)}; `;
  return sql;
}

/** A statement that makes the settings, and those of the deadlines in force, for the rest of its transaction. */
export function settingsSql(settings: Readonly<Record<string, string>>): string {
  const all = Object.entries({ ...deadlineSettings(currentPatience()), ...settings });
  return `select ${all.map(([name, value]) => `set_config(${literal(name)}, ${literal(value)}, true)`).join(', ')}`;
}

/** The statement with its values in the place of `?`. */
export function withLiterals(sql: string, values: readonly ReadValue[]): string {
  const parts = sql.split('?');
  if (parts.length !== values.length + 1)
    throw new Error('a statement has a value for each of its placeholders');
  return parts.map((part, at) => part + (at < values.length ? literal(values[at]!) : '')).join('');
}

/** A value as a literal of a statement. */
export function literal(value: ReadValue): string {
  if (value === null) return 'null';
  if (value instanceof Date) return `'${value.toISOString()}'::timestamptz`;
  if (typeof value !== 'string') return String(value);
  // It would end the message.
  if (value.includes('\0')) throw new Error('text of a statement has no null characters');
  // As pg.escapeLiteral does it, which goes character by character: batches of beats are long.
  const quoted = `'${value.replaceAll("'", "''")}'`;
  return quoted.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}
