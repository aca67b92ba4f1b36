import pg from 'pg';
import type { Db as IDatabase } from 'pg-boss';

import type { Connections, TakenClient } from '../database/connections.js';
import { settingsSql } from '../database/one-message.js';
import { patience, withPatience } from '../database/patience.js';

/** How pg-boss begins a message that is a transaction of its own. */
const ownTransaction = /^\s*begin\s*;/i;

/** Lets pg-boss work on the connections of the process, each of its calls as `role` in a transaction. */
export function bossDatabase(connections: Connections, role: string): IDatabase {
  return {
    executeSql: async (text, values = []) =>
      withPatience(patience.background, async () =>
        connections.use(async (client) => {
          try {
            return await execute(client, settingsSql({ role }), text, values);
          } catch (error) {
            // What can not be rolled back has no connection any more.
            await client.query('rollback').catch(() => undefined);
            throw error;
          }
        }),
      ),
    listen: async (channel, onNotification, onReconnect) => {
      const close = await connections.standing.listen(channel, { hear: onNotification, again: onReconnect });
      return { close };
    },
  };
}

type Answer = Awaited<ReturnType<IDatabase['executeSql']>>;

async function execute(
  client: TakenClient,
  settings: string,
  text: string,
  values: unknown[],
): Promise<Answer> {
  if (ownTransaction.test(text)) {
    const message = text.replace(ownTransaction, `begin; ${settings};`);
    const answers: unknown = await client.query({ text: message, types: pg.types });
    // pg-boss puts the rows of all its statements together, and must not find those of the settings among them.
    return (answers as Answer[]).toSpliced(1, 1) as unknown as Answer;
  }
  const whole = withLiterals(text, values);
  if (whole !== undefined) {
    const message = `begin; ${settings}; ${whole}; commit`;
    const answers: unknown = await client.query({ text: message, types: pg.types });
    return (answers as Answer[])[2]!;
  }
  await client.query(`begin; ${settings}`);
  const answer: Answer = await client.query({ text, values, types: pg.types });
  await client.query('commit');
  return answer;
}

/**
 * A statement with its values as literals, which have no type until PostgreSQL gives them one, as parameters have: it can
 * then be sent in one message with what opens and ends its transaction, one round trip for three. Undefined where a value
 * is none that has such a form, or there is none.
 */
function withLiterals(text: string, values: readonly unknown[]): string | undefined {
  if (values.length === 0 || text.includes('$$')) return undefined;
  const literals = values.map(literalOf);
  if (literals.includes(undefined)) return undefined;
  return text.replaceAll(/\$(\d+)/g, (name, number: string) => literals[Number(number) - 1] ?? name);
}

function literalOf(value: unknown): string | undefined {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return value.includes('\0') ? undefined : pg.escapeLiteral(value);
  if (typeof value === 'number' || typeof value === 'boolean') return pg.escapeLiteral(String(value));
  if (value instanceof Date) return pg.escapeLiteral(value.toISOString());
  if (!Array.isArray(value)) {
    const json = JSON.stringify(value) as string | undefined;
    return json === undefined ? undefined : pg.escapeLiteral(json);
  }
  if (!value.every((each) => typeof each === 'string' || typeof each === 'number')) return undefined;
  const elements = value.map((each) => `"${String(each).replaceAll(/["\\]/g, String.raw`\$&`)}"`);
  return pg.escapeLiteral(`{${elements.join(',')}}`);
}
