import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { assetPath, packageRoot } from '#platform/package-root.js';

const programs = [[assetPath('tools', 'build-programs.ts')], [assetPath('tools', 'build-console.ts')]];

/** Builds what tests start in processes of their own, so that those run what is shipped. */
export async function build(): Promise<void> {
  const run = promisify(execFile);
  await Promise.all(programs.map(async (program) => run(process.execPath, program, { cwd: packageRoot })));
}
