import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Keyring } from '#platform/secrets/keyring.js';

import type { PanelEnv } from './env.js';

/** SECRETS_KEY, where there is one: for commands that can do without. */
export function keyringIn({ SECRETS_KEY: key }: Pick<PanelEnv, 'SECRETS_KEY'>): Keyring | undefined {
  return key === undefined ? undefined : Keyring.parse(key);
}

/** Where the key of a one-machine panel is. */
export const keyFile = (dataDir: string): string => join(dataDir, 'secrets.key');

/** Reads what is in that file; throws for what is no key. */
export const keyringOf = (text: string): Keyring => Keyring.parse(text.trim());

/** SECRETS_KEY, or in one-machine mode a key made at the first start and kept in DATA_DIR. */
export function loadKeyring(env: Pick<PanelEnv, 'SECRETS_KEY' | 'DATA_DIR'>): Keyring {
  if (env.SECRETS_KEY) return Keyring.parse(env.SECRETS_KEY);
  const file = keyFile(env.DATA_DIR);
  mkdirSync(env.DATA_DIR, { recursive: true });
  try {
    // Two first starts at once must end with one key: only one of them may make the file.
    writeFileSync(file, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  return keyringOf(readFileSync(file, 'utf8'));
}
