import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { folderPrefix, Leftovers } from '#subgraphs/governance/gitops/git/leftovers.js';

test('folders of looks that were killed are removed, and those of looks that go on are not', async () => {
  const [dead, alive] = [
    mkdtempSync(join(tmpdir(), folderPrefix)),
    mkdtempSync(join(tmpdir(), folderPrefix)),
  ];
  try {
    mkdirSync(join(dead, 'objects'));
    writeFileSync(join(dead, 'objects', 'pack'), 'x');
    const before = new Date(Date.now() - 11 * 60_000);
    utimesSync(dead, before, before);
    await new Leftovers().remove();
    expect([existsSync(dead), existsSync(alive)]).toEqual([false, true]);
  } finally {
    rmSync(dead, { recursive: true, force: true });
    rmSync(alive, { recursive: true, force: true });
  }
});
