import { join } from 'node:path';

import pg from 'pg';

import { ensureRoles } from '#platform/database/roles.js';
import { OperatorError } from '#platform/errors.js';
import type { Logger } from '#platform/logger.js';
import { anotherTimelineSql } from '#platform/outbox/timeline.sql.js';
import type { Keyring } from '#platform/secrets/keyring.js';

import { schemaNames, schemas } from '../areas.js';
import { migrateNamed, withClient, type AppliedSteps } from '../database.js';
import { serverVersionOf, userOf } from './backup.js';
import { requireClient, runClient } from './client-programs.js';
import { dumpName, readBackup, type Manifest } from './manifest.js';

export interface RestoreOptions {
  /** Of an empty database. */
  ownerUrl: string;
  /** The application's login gets the password in it. */
  url: string | undefined;
  folder: string;
  keyring: Keyring | undefined;
  logger: Logger;
}

export interface Restored {
  manifest: Manifest;
  /** Steps of this version that the backup did not have. */
  applied: readonly AppliedSteps[];
}

/**
 * Brings a backup into an empty database, all or nothing, and migrates it to this version. What was not consumed of its
 * events is consumed once panels start on it, and nothing is consumed twice.
 */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { ownerUrl, url, folder, keyring, logger } = options;
  const manifest = await readBackup(folder);
  assertKnown(manifest);
  assertKey(manifest, keyring);
  await withClient(ownerUrl, async (owner) => {
    const user = await userOf(owner);
    if (user !== manifest.owner)
      throw new OperatorError(
        `The database was owned by ${manifest.owner}, whom its policies name; DATABASE_OWNER_URL is of ${user}. Make the ` +
          'role of then, and a database that it owns.',
      );
    await assertEmpty(owner);
    await requireClient('pg_restore', await serverVersionOf(owner));
    // Rights and policies name the roles. The schemas that come with them are in the dump as well.
    await ensureRoles(owner, { areas: [...schemaNames], login: { name: 'panel_app' } });
    for (const schema of schemaNames) await owner.query(`drop schema ${pg.escapeIdentifier(schema)}`);
  });
  await runClient('pg_restore', ownerUrl, [
    '--exit-on-error',
    '--single-transaction',
    '--no-owner',
    join(folder, dumpName),
  ]);
  await withClient(ownerUrl, async (owner) => owner.query(anotherTimelineSql));
  return { manifest, applied: await migrateNamed(ownerUrl, url, logger) };
}

function assertKnown({ steps }: Manifest): void {
  for (const [area, names] of Object.entries(steps)) {
    const known = new Set(schemas.find(({ name }) => name === area)?.migrations.map(({ name }) => name));
    const unknown = names.find((name) => !known.has(name));
    if (unknown !== undefined)
      throw new OperatorError(
        `The backup was made by a newer panel: this one does not know the step ${unknown} of ${area}.`,
      );
  }
}

function assertKey({ secretsKeyId }: Manifest, keyring: Keyring | undefined): void {
  if (secretsKeyId === undefined || keyring === undefined || keyring.has(secretsKeyId)) return;
  throw new OperatorError(
    `The backup's secrets are sealed with the key ${secretsKeyId}, which is not in SECRETS_KEY: put it there, or they ` +
      'cannot be opened and every node has to enroll anew.',
  );
}

async function assertEmpty(owner: pg.Client): Promise<void> {
  const { rows } = await owner.query<{ name: string }>(
    `select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p', 'v', 'm', 'S') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
       and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
     order by 1 limit 1`,
  );
  const [first] = rows;
  if (first)
    throw new OperatorError(
      `The database of DATABASE_OWNER_URL is not empty: it has ${first.name}. A backup is restored into an empty one.`,
    );
}
