import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
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
