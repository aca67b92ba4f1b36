import { readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const folderPrefix = 'panel-git-';

/** No look takes so long: whoever made an older folder is dead. */
const abandonedMs = 10 * 60_000;
const everyMs = 60 * 60_000;

/** What looks left behind whose process was killed: looked for at the first look of a process, and once an hour. */
export class Leftovers {
  private lookedAt = -Infinity;

  async remove(): Promise<void> {
    // By the machine's time, as files have it.
    const now = Date.now();
    if (now - this.lookedAt < everyMs) return;
    this.lookedAt = now;
    for (const name of await readdir(tmpdir())) {
      if (!name.startsWith(folderPrefix)) continue;
      const folder = join(tmpdir(), name);
      // Another process may be at it, or it may be another user's.
      const made = await stat(folder).catch(() => undefined);
      if (!made || now - made.mtimeMs < abandonedMs) continue;
      await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    }
  }
}
