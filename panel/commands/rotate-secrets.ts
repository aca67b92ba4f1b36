import { Database } from '#platform/database/database.js';
import { createLogger, type Logger } from '#platform/logger.js';
import { processesWithoutKeySql } from '#platform/membership/secrets-keys.sql.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import { reseal, type Resealed } from '#platform/secrets/reseal.job.js';

import { schemas } from '../areas.js';
import { assertDatabaseExists, prepareDatabase } from '../database.js';
import { panelEnv } from '../env.js';
import { loadKeyring } from '../keyring.js';
import { run } from '../run.js';

/**
 * Seals every stored secret anew under the first key of SECRETS_KEY (or of DATA_DIR/secrets.key). How to rotate:
 *
 * 1. Put the new key in front: `SECRETS_KEY=new,old`. With several processes first put it behind (`old,new`) and
 *    restart them all, since a process that does not know the new key cannot open what another one seals with it.
 * 2. Restart every process. From here on secrets are sealed and tokens signed with the new key.
 * 3. Run this, until it says that nothing is left. It may be interrupted and repeated, and the panel goes on meanwhile.
 * 4. Drop the old key and restart, but not before what was derived from it has run out:
 *    - Credentials of nodes. Those signed with the old key verify as long as it is on the ring. A node is given a new
 *      one when ten days of its thirty are left, so 30 days after step 2 every node that beats has one of the new key;
 *      one that was away for so long still may come back within its 7 days of grace, if the old key is still there. To
 *      drop a leaked key at once means to enroll every node anew.
 *    - Service tokens live a minute, consents and sign-ins of browsers minutes; mail that waits for its server is sealed
 *      for little more than an hour.
 *    - The embedded database's password follows by itself at step 2. The successor of a refresh token that was traded
 *      just before a restart can not be given out again after it: that one browser signs in anew.
 */
await run(async () => {
  const env = panelEnv();
  assertDatabaseExists(env);
  const keyring = loadKeyring(env);
  const logger = createLogger(env.LOG_LEVEL);
  const prepared = await prepareDatabase(env, keyring, logger);
  try {
    await warnOfOthers(prepared.url, keyring, logger);
    let unreadable = 0;
    for (const { name, sealedColumns = [] } of schemas) {
      if (sealedColumns.length === 0) continue;
      const database = await Database.open({
        area: name,
        url: prepared.url,
        entities: [],
        poolSize: 1,
        logger,
      });
      try {
        for (const column of sealedColumns) {
          const result = await reseal(database, keyring, column);
          unreadable += result.unreadable.length;
          process.stdout.write(`${describe(result)}\n`);
        }
      } finally {
        await database.close();
      }
    }
    process.stdout.write(
      unreadable === 0
        ? `All stored secrets are sealed with the key ${keyring.currentKeyId}.\n`
        : `${unreadable} could not be opened: put the key that they name back on SECRETS_KEY and run this again.\n`,
    );
    if (unreadable > 0) process.exitCode = 1;
  } finally {
    await prepared.stop();
  }
});

/** From now on they cannot open what they had sealed themselves. */
async function warnOfOthers(url: string, keyring: Keyring, logger: Logger): Promise<void> {
  const platform = await Database.open({ area: 'platform', url, entities: [], poolSize: 1, logger });
  try {
    const others = await platform
      .readerForNobody()
      .execute<{ name: string }[]>(processesWithoutKeySql('?'), [keyring.currentKeyId]);
    for (const { name } of others)
      process.stderr.write(
        `Warning: ${name} does not hold the key ${keyring.currentKeyId}, and cannot open what is sealed with it: start it anew with it.\n`,
      );
  } finally {
    await platform.close();
  }
}

function describe({ name, resealed, unreadable }: Resealed): string {
  const rest = unreadable.length === 0 ? '' : `, ${unreadable.length} not readable: ${unreadable.join(', ')}`;
  return `${name}: ${resealed} sealed anew${rest}`;
}
