import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

import { EnvError } from '#platform/env.js';

import type { DataEnv } from './env.js';
import { keyFile, keyringOf } from './keyring.js';

/**
 * Throws an EnvError where a panel could not have its data in DATA_DIR, or not read the key that is there. Makes nothing.
 * With a PostgreSQL of one's own DATA_DIR is not used.
 */
export function assertDataDir(env: DataEnv): void {
  if (env.DATABASE_URL !== undefined) return;
  const folder = resolve(env.DATA_DIR);
  const isMade = asTold(folder, () => statSync(folder).isDirectory());
  if (isMade === false) throw new EnvError([`DATA_DIR: ${folder} is no folder`]);
  if (isMade && env.SECRETS_KEY !== undefined) return;
  const file = keyFile(folder);
  const key = asTold(file, () => readFileSync(file, 'utf8'));
  if (key === undefined) return assertWritable(folder);
  try {
    keyringOf(key);
  } catch {
    throw new EnvError([`DATA_DIR: ${file} is not 32 bytes in base64, as a panel writes them`]);
  }
}

/** What was looked up, or undefined where there is nothing yet. */
function asTold<T>(path: string, look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    const { code = 'no file' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new EnvError([`DATA_DIR: ${path} cannot be read (${code})`]);
  }
}

/** The folder, or the nearest one around it that is there: the start makes what is in between. */
function assertWritable(folder: string): void {
  for (let nearest = folder; ; nearest = dirname(nearest)) {
    try {
      return accessSync(nearest, constants.W_OK | constants.X_OK);
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' && nearest !== dirname(nearest)) continue;
      throw new EnvError([`DATA_DIR: ${nearest} cannot be written to (${code})`]);
    }
  }
}
