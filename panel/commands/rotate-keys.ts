import { systemClock } from '#platform/clock.js';
import { Database } from '#platform/database/database.js';
import { createLogger } from '#platform/logger.js';
import { rotateSigningKey } from '#subgraphs/identity/signing-key/rotate-signing-key.job.js';
import { StoredSigningKey } from '#subgraphs/identity/signing-key/signing-key.entity.js';

import { assertDatabaseExists, prepareDatabase } from '../database.js';
import { panelEnv } from '../env.js';
import { loadKeyring } from '../keyring.js';
import { run } from '../run.js';

// Makes the next key that signs tokens. Panels that run take it up by themselves, within seconds. `--compromised`
// forgets the old keys at once: everyone's access tokens end, and refresh tokens give new ones.
await run(async () => {
  const env = panelEnv();
  assertDatabaseExists(env);
  const logger = createLogger(env.LOG_LEVEL);
  const keyring = loadKeyring(env);
  const prepared = await prepareDatabase(env, keyring, logger);
  const options = { area: 'identity', url: prepared.url, entities: [StoredSigningKey], poolSize: 2, logger };
  const database = await Database.open(options);
  try {
    const compromised = process.argv.includes('--compromised');
    const rotation = await rotateSigningKey({ database, keyring, clock: systemClock, compromised });
    process.stdout.write(
      `The key ${rotation.kid} is published now and signs from ${rotation.signsFrom.toISOString()} on.\n` +
        `The keys before it are forgotten at ${rotation.othersRetireAt.toISOString()}.\n`,
    );
  } finally {
    await database.close();
    await prepared.stop();
  }
});
