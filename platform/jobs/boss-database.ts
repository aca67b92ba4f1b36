import pg from 'pg';
import type { Db as IDatabase } from 'pg-boss';

import type { Connections } from '../database/connections.js';
import { settingsSql } from '../database/one-message.js';
import { patience, withPatience } from '../database/patience.js';
import { SettledQuery } from './settled-query.js';

/** How pg-boss begins a message that is a transaction of its own. */
const ownTransaction = /^\s*begin\s*;/i;

/**
 * Lets pg-boss work on the connections of the process, each of its calls as `role` in a transaction: one round trip each.
 * `heard` is called with the name of the queue when it is told of a job, and without one when that may have been missed.
 */
export function bossDatabase(
  connections: Connections,
  role: string,
  heard: (queue?: string) => void = () => undefined,
): IDatabase {
  return {
    executeSql: async (text, values = []) =>
      withPatience(patience.background, async () =>
        connections.use(async (client) => {
          const settings = settingsSql({ role });
          // Parameters stay parameters: what a job is told is never a part of a statement's text.
          if (values.length > 0)
            return new Promise<Answer>((resolve, reject) => {
              client.query(
                new SettledQuery(settings, { text, values }, (error, answer) =>
                  error ? reject(error) : resolve(answer as unknown as Answer),
                ),
              );
            });
          try {
            return await message(client, settings, text);
          } catch (error) {
            // What can not be rolled back has no connection any more.
            await client.query('rollback').catch(() => undefined);
            throw error;
          }
        }),
      ),
    listen: async (channel, onNotification, onReconnect) => {
      const close = await connections.standing.listen(channel, {
        hear: (payload) => {
          heard(payload);
          onNotification(payload);
        },
        again: () => {
          heard();
          onReconnect();
        },
      });
      return { close };
    },
  };
}

type Answer = Awaited<ReturnType<IDatabase['executeSql']>>;

/** Statements without parameters, which PostgreSQL runs as one transaction where they do not begin one themselves. */
async function message(client: pg.ClientBase, settings: string, text: string): Promise<Answer> {
  const isOwn = ownTransaction.test(text);
  const answers: unknown = await client.query({
    text: isOwn ? text.replace(ownTransaction, `begin; ${settings};`) : `${settings}; ${text}`,
    types: pg.types,
  });
  // pg-boss puts the rows of all its statements together, and must not find those of the settings among them.
  const rest = (answers as Answer[]).toSpliced(isOwn ? 1 : 0, 1);
  return rest.length === 1 ? rest[0]! : (rest as unknown as Answer);
}
