import { execFileSync } from 'node:child_process';
import { chownSync, cpSync, existsSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { chooseAccount, mayUse, type Account } from '#platform/database/embedded/account.js';
import { makePassable, relocatedHome } from '#platform/database/embedded/location.js';
import { assetPath } from '#platform/package-root.js';

/** Where the cluster of this machine is kept. */
export interface Place {
  /** Whom everything but the panels runs as, when we are root. */
  account: Account;
  folder: string;
  /** The configuration, where the account can read it. */
  etc: string;
  secrets: string;
  logs: string;
}

/** Makes the folders, and copies the configuration and the program that fills it in to where the account can read them. */
export function preparePlace(dataDir: string): Place {
  const wanted = join(resolve(dataDir), 'cluster');
  const account = chooseAccount(undefined);
  makePassable(resolve(dataDir));
  const folder = mayUse(account, resolve(dataDir))
    ? wanted
    : join(relocatedHome(resolve(dataDir)), 'cluster');
  makePassable(folder);
  const etc = join(folder, 'etc');
  rmSync(etc, { recursive: true, force: true });
  cpSync(assetPath('deploy', 'cluster'), etc, { recursive: true });
  const place = { account, folder, etc, secrets: join(folder, 'secrets'), logs: join(folder, 'log') };
  for (const made of [place.secrets, place.logs]) mkdirSync(made, { recursive: true, mode: 0o700 });
  giveTo(account, etc);
  return place;
}

/** Makes what is missing of the secrets; `addresses` are those that the database's URLs name. */
export function makeSecrets({ etc, secrets, account }: Place, addresses: Record<string, string>): void {
  // Addresses may be others than at the last start; passwords stay.
  for (const name of existsSync(secrets) ? readdirSync(secrets) : [])
    if (/_urls?$/.test(name)) rmSync(join(secrets, name));
  execFileSync(join(etc, 'make-secrets.sh'), [secrets], {
    env: { PATH: process.env['PATH'], ...addresses },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  giveTo(account, secrets);
}

/** A folder of one program's own. */
export function folderOf(place: Place, name: string): string {
  const folder = join(place.folder, name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (place.account) chownSync(folder, place.account.uid, place.account.gid);
  return folder;
}

function giveTo(account: Account, path: string): void {
  if (!account) return;
  chownSync(path, account.uid, account.gid);
  if (!lstatSync(path).isDirectory()) return;
  for (const name of readdirSync(path)) giveTo(account, join(path, name));
}
