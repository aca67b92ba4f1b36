import { LRUCache } from 'lru-cache';
import type pg from 'pg';

import { MessageQuery, type Done } from './message-query.js';
import { inOneMessage, literal, type MessageConnection, type ReadValue } from './one-message.js';
import { currentPatience, deadlineSettings, type Patience } from './patience.js';
import { StatementText, type PreparedStatement, type PreparedStatements } from './prepared-statements.js';
import { ProtocolWriter, type BoundValue } from './protocol-writer.js';
import type { Described, RowShape } from './row-shape.js';

/** A connection to the server itself: a pooler would give the next message another one, which knows no statement. */
export interface PreparingConnection extends MessageConnection {
  readonly statements: PreparedStatements;
}

/** As whom a statement is read. */
export interface ReadAs {
  role: string;
  tenantId: string;
}

/**
 * `inOneMessage` for statements that are read again and again: each connection has them parsed and planned once, which
 * is most of what a short one takes of the server. What makes the settings is a statement of its own in front of it, in
 * the same transaction.
 */
export async function preparedRead<Row extends pg.QueryResultRow>(
  connections: { take(): Promise<PreparingConnection> },
  as: ReadAs,
  sql: string,
  values: readonly ReadValue[],
  types: pg.CustomTypesConfig,
): Promise<Row[]> {
  const text = numbered(sql);
  if (text.parameters !== values.length)
    throw new Error('a statement has a value for each of its placeholders');
  const bound = {
    opening: openingFor(as.role),
    tenantId: boundValue(as.tenantId),
    text,
    values: values.map(boundValue),
  };
  const client = await connections.take();
  try {
    return await new Promise<Row[]>((resolve, reject) => {
      const done: Done = (error, rows) => (error ? reject(error) : resolve(rows as Row[]));
      client.query(new PreparedQuery(client.statements, bound, types, done) as unknown as pg.Submittable);
    });
  } catch (error) {
    if (error instanceof Error) Error.captureStackTrace(error);
    if (!isOutdated(error)) throw error;
  } finally {
    client.release();
  }
  const settings = { role: as.role, 'app.tenant_id': as.tenantId };
  return inOneMessage<Row>(connections, settings, sql, values, types);
}

interface Bound {
  opening: StatementText;
  tenantId: BoundValue;
  text: StatementText;
  values: readonly BoundValue[];
}

const writer = new ProtocolWriter();

class PreparedQuery extends MessageQuery {
  private used: readonly PreparedStatement[] = [];
  private read: PreparedStatement | undefined;

  constructor(
    private readonly statements: PreparedStatements,
    private readonly bound: Bound,
    types: pg.CustomTypesConfig,
    callback: Done,
  ) {
    super(bound.text.sql, types, callback);
  }

  override submit({ stream }: pg.Connection): undefined {
    const { opening, tenantId, text, values } = this.bound;
    const settings = this.statements.use(opening, writer);
    writer.bind(opening.name, [tenantId]).execute();
    // Parsed as the role that it runs as, whose policies are a part of its plan.
    const read = this.statements.use(text, writer);
    if (!read.described) writer.describe(text.name);
    const message = writer.bind(text.name, values).execute().sync().take();
    this.read = read;
    this.used = [settings, read];
    // Where it is not, the connection is about to end, and all that wait with it.
    if (stream.writable) stream.write(message);
  }

  override handleRowDescription(described: Described): void {
    this.read!.described = described;
  }

  override handleError(error: Error): void {
    for (const statement of this.used) this.statements.forget(statement);
    super.handleError(error);
  }

  protected override shapeOfRows(): RowShape {
    return this.read!.shapeBy(this.types);
  }
}

/** The server does not know the statement, or knew it before, or its columns are of other types than when it was parsed. */
function isOutdated(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === '26000' || code === '42P05' || code === '0A000';
}

// As many as there may be on the connections; by text, so that each has one identity.
const texts = new LRUCache<string, StatementText>({ max: 500 });

/** The statement with `$1` and so on in the place of `?`. */
export function numbered(sql: string): StatementText {
  let text = texts.get(sql);
  if (!text) {
    const parts = sql.split('?');
    text = new StatementText(
      parts.reduce((all, part, at) => `${all}$${at}${part}`),
      parts.length - 1,
    );
    texts.set(sql, text);
  }
  return text;
}

const openings = new WeakMap<Patience, Map<string, StatementText>>();

/** Makes the settings of a role with the deadlines in force, and has no rows, which would have to be read. */
function openingFor(role: string): StatementText {
  const patience = currentPatience();
  let byRole = openings.get(patience);
  if (!byRole) openings.set(patience, (byRole = new Map()));
  let opening = byRole.get(role);
  if (!opening) {
    const fixed = Object.entries({ ...deadlineSettings(patience), role });
    const made = fixed.map(([name, value]) => `set_config(${literal(name)}, ${literal(value)}, true)`);
    const all = [...made, `set_config('app.tenant_id', $1, true)`].join(' || ');
    byRole.set(role, (opening = new StatementText(`select where (${all}) is null`, 1)));
  }
  return opening;
}

/** A value as PostgreSQL reads it where it is bound. */
export function boundValue(value: ReadValue): BoundValue {
  if (value === null) return null;
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== 'string') return String(value);
  if (value.includes('\0')) throw new Error('text of a statement has no null characters');
  return value;
}
