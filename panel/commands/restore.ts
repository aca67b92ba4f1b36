import { resolve } from 'node:path';

import { EnvError } from '#platform/env.js';
import { createLogger } from '#platform/logger.js';

import { restore } from '../backup/restore.js';
import { databaseEnv } from '../env.js';
import { keyringIn } from '../keyring.js';
import { run } from '../run.js';

// Brings a backup into the empty database of DATABASE_OWNER_URL: `restore folder`.
await run(async () => {
  const env = databaseEnv();
  const [, , folder] = process.argv;
  if (folder === undefined) throw new EnvError(['usage: restore FOLDER, the folder of a backup']);
  if (env.DATABASE_OWNER_URL === undefined)
    throw new EnvError(['DATABASE_OWNER_URL is required: an empty database, as its owner']);
  const { manifest, applied } = await restore({
    ownerUrl: env.DATABASE_OWNER_URL,
    url: env.DATABASE_URL,
    folder: resolve(folder),
    keyring: keyringIn(env),
    logger: createLogger(env.LOG_LEVEL),
  });
  const steps = applied.flatMap(({ area, steps: names }) => names.map((name) => `  ${area}: ${name}\n`));
  process.stdout.write(
    `Restored what was backed up at ${manifest.madeAt}.\n` +
      (steps.length === 0 ? '' : `Migrated to this version:\n${steps.join('')}`) +
      'Start the panels with the SECRETS_KEY of then.\n',
  );
});
