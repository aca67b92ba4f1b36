import { join, resolve } from 'node:path';

import { OperatorError } from '#platform/errors.js';

import { backup } from '../backup/backup.js';
import { databaseEnv } from '../env.js';
import { keyringIn } from '../keyring.js';
import { run } from '../run.js';

// Dumps the database of DATABASE_OWNER_URL into a new folder: `backup [folder]`.
await run(async () => {
  const env = databaseEnv();
  if (env.DATABASE_OWNER_URL === undefined)
    throw new OperatorError(
      'DATABASE_OWNER_URL is required. The embedded PostgreSQL of a panel without DATABASE_URL is backed up by copying ' +
        'DATA_DIR while the panel is stopped.',
    );
  const now = new Date().toISOString().replace(/[:.]/g, '-');
  const folder = resolve(process.argv[2] ?? join('backups', `panel-${now}`));
  const keyring = keyringIn(env);
  const { dump, secretsKeyId } = await backup({ ownerUrl: env.DATABASE_OWNER_URL, folder, keyring });
  process.stdout.write(
    `Backed up to ${folder} (${dump.bytes} bytes).\n` +
      (secretsKeyId === undefined
        ? 'Keep SECRETS_KEY too, and elsewhere: without it the backup is of no use.\n'
        : `Keep the key ${secretsKeyId} of SECRETS_KEY too, and elsewhere: without it the backup is of no use.\n`),
  );
});
