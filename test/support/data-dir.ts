import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A new folder for a PostgreSQL of the test's own. The postgres user, which it runs as when the tests run as root, may
 * pass through: it would otherwise be kept under /var/lib, where no test would take it away.
 */
export function createDataDir(): string {
  const folder = mkdtempSync(join(tmpdir(), 'panel-test-'));
  chmodSync(folder, 0o711);
  return folder;
}

const memory = '/dev/shm';
const memoryRun = /^panel-run-(\d+)-/;

/**
 * A new folder for the run's PostgreSQL, in memory where there is enough. The databases of a run are half a million
 * files that are made and deleted, and ext4 gives no inode out again for a minute: for each new file it passed all of those.
 */
export function createRunDataDir(): string {
  if (!hasRoomInMemory()) return createDataDir();
  // What a run that was killed has left is memory until the machine starts anew.
  for (const name of readdirSync(memory)) {
    const pid = memoryRun.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) {
      rmSync(join(memory, name), { recursive: true, force: true });
    }
  }
  const folder = mkdtempSync(join(memory, `panel-run-${process.pid}-`));
  chmodSync(folder, 0o711);
  return folder;
}

function hasRoomInMemory(): boolean {
  try {
    const { bavail, bsize } = statfsSync(memory);
    return Math.min(bavail * bsize, freemem()) >= 4 * 2 ** 30;
  } catch {
    return false;
  }
}
