import module from 'node:module';

import { assetPath } from './package-root.js';

const oldestMajor = 24;

/**
 * Ends the process with one sentence when its Node.js is too old for this program. Whoever calls it loads everything
 * else afterwards, by `import()`: static imports are resolved before the first line runs, and fail with words of Node's.
 */
export function requireNode(): void {
  const { node } = process.versions;
  if (Number.parseInt(node, 10) >= oldestMajor) return startSooner();
  process.stderr.write(
    `This needs Node.js ${oldestMajor} or newer, and was started by ${node}. Use the npm scripts (npm start, npm run demo, ...), ` +
      'which run the Node.js that npm has installed here, or put node_modules/.bin/node in the place of node.\n',
  );
  process.exit(1);
}

/** Half a million lines are loaded from here on. */
function startSooner(): void {
  // Where it may not be written to, they are compiled as ever.
  module.enableCompileCache(assetPath('dist', '.compile-cache'));
  // Of our own files, where they are wanted at all.
  if (process.sourceMapsEnabled) module.setSourceMapsSupport(true, { nodeModules: false });
}
