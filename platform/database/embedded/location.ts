import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import type { Logger } from '../../logger.js';
import { chooseAccount, mayUse, type Account } from './account.js';
import type { ClusterState } from './state.js';

/** For root only: where clusters and programs go that the postgres user can't reach in their own place. */
export const systemFolder = '/var/lib/quazzar';

export interface Location {
  /** PostgreSQL's own data directory. */
  cluster: string;
  /** Written before initdb and removed after it: what is in `cluster` meanwhile is ours to throw away. */
  marker: string;
  log: string;
  passwordFile: string;
  account: Account;
}

/** Finds the cluster where an earlier start put it, else chooses a place that PostgreSQL's account can reach. */
export function locate(dataDir: string, state: ClusterState, logger: Logger): Location {
  const recorded = state.cluster === undefined ? undefined : resolve(dataDir, state.cluster);
  const account = chooseAccount(recorded !== undefined && existsSync(recorded) ? recorded : undefined);
  if (recorded !== undefined) {
    if (!mayUse(account, dirname(recorded))) {
      throw new Error(`The cluster ${recorded} is below a folder that PostgreSQL's user may not enter.`);
    }
    return locationAt(recorded, account);
  }
  if (mayUse(account, dataDir)) return locationAt(join(dataDir, 'postgres'), account);
  const home = relocatedHome(dataDir);
  makePassable(home);
  logger.warn(
    { dataDir, cluster: join(home, 'postgres') },
    'The postgres user cannot enter DATA_DIR: the database is kept elsewhere',
  );
  return locationAt(join(home, 'postgres'), account);
}

/** The folder that holds the cluster of a DATA_DIR which the postgres user can't enter. */
export function relocatedHome(dataDir: string): string {
  return join(systemFolder, createHash('sha256').update(dataDir).digest('hex').slice(0, 16));
}

/** Makes a folder that other users may pass through, as the postgres user must, but not list; whatever the umask. */
export function makePassable(folder: string): void {
  if (existsSync(folder)) return;
  makePassable(dirname(folder));
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o711);
}

export function isEmptyOrAbsent(folder: string): boolean {
  return !existsSync(folder) || readdirSync(folder).length === 0;
}

function locationAt(cluster: string, account: Account): Location {
  return {
    cluster,
    marker: `${cluster}.unfinished`,
    log: `${cluster}.log`,
    passwordFile: `${cluster}.password`,
    account,
  };
}
