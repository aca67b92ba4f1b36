import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { packageRoot } from '#platform/package-root.js';

/** What programs are built of, and the files that they read. */
const sources = ['agent', 'gateway', 'panel', 'platform', 'rest-compat', 'sandbox', 'schema', 'subgraphs'];
const parts = [...sources, 'tools', 'dist/web', 'tsconfig.json', 'package.json', 'package-lock.json'];

/** The panel built in a folder of its own, with further migration steps as a later version has them. */
export class NextVersion implements Disposable {
  private constructor(readonly root: string) {}

  /** `steps` is code, in which `migration` and `contract` are known, of steps that follow on fleet's. */
  static with(steps: string): NextVersion {
    const next = new NextVersion(mkdtempSync(join(packageRoot, '.next-version-')));
    for (const part of parts) cpSync(join(packageRoot, part), join(next.root, part), { recursive: true });
    symlinkSync(join(packageRoot, 'node_modules'), join(next.root, 'node_modules'));
    appendFileSync(
      join(next.root, 'subgraphs', 'fleet', 'migrations', 'index.ts'),
      `\nimport { contract } from '#platform/database/migrate.js';\nfleetMigrations.push(${steps});\n`,
    );
    execFileSync(process.execPath, ['tools/build-programs.ts'], { cwd: next.root, stdio: 'inherit' });
    return next;
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
