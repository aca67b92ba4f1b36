import { appendFileSync, cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { packageRoot } from '#platform/package-root.js';

/** What a panel is made of when it runs: the build, and the files that it reads. */
const parts = ['dist', 'schema', 'rest-compat', 'gateway/graphiql', 'package.json'];

/** The panel as it is built, in a folder of its own, with further migration steps as a later version has them. */
export class NextVersion implements Disposable {
  private constructor(readonly root: string) {}

  /** `steps` is code, in which `migration` and `contract` are known, of steps that follow on fleet's. */
  static with(steps: string): NextVersion {
    const next = new NextVersion(mkdtempSync(join(packageRoot, '.next-version-')));
    for (const part of parts) cpSync(join(packageRoot, part), join(next.root, part), { recursive: true });
    symlinkSync(join(packageRoot, 'node_modules'), join(next.root, 'node_modules'));
    appendFileSync(
      join(next.root, 'dist', 'subgraphs', 'fleet', 'migrations', 'index.js'),
      `\nimport { contract } from '#platform/database/migrate.js';\nfleetMigrations.push(${steps});\n`,
    );
    return next;
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
