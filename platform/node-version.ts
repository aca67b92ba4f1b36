const oldestMajor = 24;

/**
 * Ends the process with one sentence when its Node.js is too old for this program. Whoever calls it loads everything
 * else afterwards, by `import()`: static imports are resolved before the first line runs, and fail with words of Node's.
 */
export function requireNode(): void {
  const { node } = process.versions;
  if (Number.parseInt(node, 10) >= oldestMajor) return;
  process.stderr.write(
    `This needs Node.js ${oldestMajor} or newer, and was started by ${node}. Use the npm scripts (npm start, npm run demo, ...), ` +
      'which run the Node.js that npm has installed here, or put node_modules/.bin/node in the place of node.\n',
  );
  process.exit(1);
}
