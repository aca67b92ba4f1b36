import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { assetPath, packageRoot } from '#platform/package-root.js';

/** Builds what tests start in processes of their own, so that those run what is shipped. */
export default async function setup(): Promise<void> {
  const build = [assetPath('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.json'];
  const run = promisify(execFile);
  await run(process.execPath, build, { cwd: packageRoot });
  await run(process.execPath, [assetPath('tools', 'build-console.ts')], { cwd: packageRoot });
}
