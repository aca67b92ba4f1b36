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
  await client.query(`begin; ${settings}`);
  const answer: Answer = await client.query({ text, values, types: pg.types });
  await client.query('commit');
  return answer;
}
