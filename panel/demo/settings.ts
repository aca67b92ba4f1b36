import { join } from 'node:path';

import type { EnvSource } from '#platform/env.js';

import { demoAccounts } from './seed.js';

/** The settings of a demo: its own where the environment has none. */
export function demoSettings(source: EnvSource): Record<string, string | undefined> {
  // What is empty counts as absent here too, or it would take the place of the demo's own.
  const set = Object.fromEntries(Object.entries(source).filter(([, text]) => text !== ''));
  return {
    HOST: '127.0.0.1',
    LOG_LEVEL: 'warn',
    HEARTBEAT_SECONDS: '5',
    DRAIN_SECONDS: '0',
    MAIL_LOG: 'true',
    ...set,
    // By which the demo grants its plan and which it shows: not the one of a panel that the same file is for.
    ADMIN_EMAIL: demoAccounts.administrator.email,
    ADMIN_PASSWORD: demoAccounts.administrator.password,
    DATA_DIR: join(set['DATA_DIR'] ?? '.data', 'demo'),
  };
}
