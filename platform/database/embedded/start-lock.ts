import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { until } from './wait.js';

/**
 * Lets one process at a time start or stop the server of a data directory. SQLite is here only for its file lock: the
 * kernel drops it when its holder dies, however it dies, so there is no stale lock to tell from a live one.
 */
export async function withStartLock<Result>(dataDir: string, work: () => Promise<Result>): Promise<Result> {
  const file = join(dataDir, 'postgres.lock');
  const lock = new DatabaseSync(file, { timeout: 0 });
  try {
    await until(`another process that starts or stops PostgreSQL in ${dataDir}`, 120, () => {
      try {
        lock.exec('begin exclusive');
        return true;
      } catch (error) {
        if (isBusy(error)) return undefined;
        throw new Error(`${file} can't be locked; does it belong to another user?`, { cause: error });
      }
    });
    return await work();
  } finally {
    lock.close();
  }
}

function isBusy(error: unknown): boolean {
  const busy = 5;
  return error instanceof Error && 'errcode' in error && error.errcode === busy;
}
