import { Database } from '#platform/database/database.js';
import { createLogger } from '#platform/logger.js';

import { assertDatabaseExists, prepareDatabase } from './database.js';
import type { PanelEnv } from './env.js';
import { loadKeyring } from './keyring.js';

export type OpenArea = (
  area: string,
  entities?: Parameters<typeof Database.open>[0]['entities'],
) => Promise<Database>;

/** For commands that work in the panel's database, which has to be there: what they open is closed behind them. */
export async function withDatabase(env: PanelEnv, work: (open: OpenArea) => Promise<void>): Promise<void> {
  assertDatabaseExists(env);
  const logger = createLogger(env.LOG_LEVEL);
  const prepared = await prepareDatabase(env, loadKeyring(env), logger);
  const opened: Database[] = [];
  try {
    await work(async (area, entities = []) => {
      const database = await Database.open({ area, url: prepared.url, entities, poolSize: 3, logger });
      opened.push(database);
      return database;
    });
  } finally {
    for (const database of opened) await database.close();
    await prepared.stop();
  }
}
