import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import pg from 'pg';

import { noteBackup } from '#platform/backup/backup.sql.js';
import { OperatorError } from '#platform/errors.js';
import type { Keyring } from '#platform/secrets/keyring.js';

import { schemas } from '../areas.js';
import { withClient } from '../database.js';
import { requireClient, runClient } from './client-programs.js';
import { describeDump, dumpName, manifestName, type Manifest } from './manifest.js';

export interface BackupOptions {
  ownerUrl: string;
  /** What is made; it must not be there. */
  folder: string;
  /** To tell later whether the right key is at hand. */
  keyring: Keyring | undefined;
}

/** Dumps a panel's database into a new folder, as of one moment, while panels go on. */
export async function backup({ ownerUrl, folder, keyring }: BackupOptions): Promise<Manifest> {
  if (existsSync(folder)) throw new OperatorError(`${folder} is there already: a backup is a new folder.`);
  const { serverVersion, owner, steps, asOf } = await withClient(ownerUrl, async (client) => ({
    serverVersion: await serverVersionOf(client),
    owner: await userOf(client),
    steps: await stepsOf(client),
    asOf: await nowOf(client),
  }));
  if (Object.values(steps).every((names) => names.length === 0))
    throw new OperatorError('There is no panel in this database: nothing to back up.');
  await requireClient('pg_dump', serverVersion);
  mkdirSync(dirname(folder), { recursive: true });
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  // A dump holds everything that the panel knows of its tenants.
  mkdirSync(unfinished, { mode: 0o700 });
  const file = join(unfinished, dumpName);
  // Row-level security is forced on the owner too; its policies let the owner see everything.
  await runClient('pg_dump', ownerUrl, ['--enable-row-security', '--format', 'custom', '--file', file]);
  const manifest: Manifest = {
    format: 1,
    madeAt: new Date().toISOString(),
    serverVersion,
    owner,
    steps,
    ...(keyring ? { secretsKeyId: keyring.currentKeyId } : {}),
    dump: await describeDump(file),
  };
  writeFileSync(join(unfinished, manifestName), `${JSON.stringify(manifest, undefined, 2)}\n`, {
    mode: 0o600,
  });
  renameSync(unfinished, folder);
  try {
    await withClient(ownerUrl, async (client) => noteBackup(client, asOf));
  } catch (error) {
    throw new OperatorError(`The backup is in ${folder}, but that could not be noted in the database.`, {
      cause: error,
    });
  }
  return manifest;
}

export async function serverVersionOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  );
  return rows[0]!.version;
}

async function nowOf(client: pg.Client): Promise<Date> {
  const { rows } = await client.query<{ now: Date }>('select now()');
  return rows[0]!.now;
}

export async function userOf(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ name: string }>('select current_user as name');
  return rows[0]!.name;
}

async function stepsOf(client: pg.Client): Promise<Record<string, string[]>> {
  const steps: Record<string, string[]> = {};
  for (const { name } of schemas) {
    const table = `${pg.escapeIdentifier(name)}.migration`;
    const found = await client.query<{ isThere: boolean }>(
      `select to_regclass($1) is not null as "isThere"`,
      [table],
    );
    const { rows } = found.rows[0]?.isThere
      ? await client.query<{ name: string }>(`select name from ${table} order by id`)
      : { rows: [] };
    steps[name] = rows.map((row) => row.name);
  }
  return steps;
}
