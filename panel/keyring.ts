import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { EnvError } from '#platform/env.js';
import { Keyring } from '#platform/secrets/keyring.js';

import type { PanelEnv } from './env.js';

/**
 * SECRETS_KEY, or in one-machine mode (no DATABASE_URL) a key made at first start and kept in DATA_DIR. With a database
 * of its own the panel may have several processes, which must share the key, so it has to be given.
 */
export function loadKeyring(env: Pick<PanelEnv, 'SECRETS_KEY' | 'DATABASE_URL' | 'DATA_DIR'>): Keyring {
  if (env.SECRETS_KEY) return Keyring.parse(env.SECRETS_KEY);
  if (env.DATABASE_URL) throw new EnvError(['SECRETS_KEY is required together with DATABASE_URL']);
  const file = join(env.DATA_DIR, 'secrets.key');
  mkdirSync(env.DATA_DIR, { recursive: true });
  try {
    // Two first starts at once must end with one key: only one of them may make the file.
    writeFileSync(file, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  return Keyring.parse(readFileSync(file, 'utf8').trim());
}
