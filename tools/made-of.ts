import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');

/**
 * Builds when anything has changed of what it is made of: everything that starts builds first, so what is as it was costs
 * nothing. `patterns` are of the sources; the packages' versions count too. `stamp` is a file that tells of the last build.
 */
export async function buildWhenChanged(
  stamp: string,
  patterns: readonly string[],
  build: () => Promise<void>,
): Promise<void> {
  const hash = createHash('sha256');
  const sources = globSync([...patterns], { cwd: root }).filter((file) =>
    statSync(join(root, file)).isFile(),
  );
  for (const file of [...sources.toSorted(), 'package-lock.json']) {
    hash.update(`${file}\0`).update(readFileSync(join(root, file)));
  }
  const wanted = hash.digest('hex');
  if (lastBuild(stamp) === wanted) return;
  // A build that fails leaves neither what was there before nor anything that says so.
  rmSync(join(root, stamp), { force: true });
  await build();
  mkdirSync(dirname(join(root, stamp)), { recursive: true });
  writeFileSync(join(root, stamp), wanted);
}

/** What the last build was made of; nothing where there was none. */
function lastBuild(stamp: string): string {
  try {
    return readFileSync(join(root, stamp), 'utf8');
  } catch {
    return '';
  }
}
