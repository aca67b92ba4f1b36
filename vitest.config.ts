import { defineConfig } from 'vitest/config';

import { LongestFirst } from './test/support/longest-first.js';
import { Tries } from './test/support/tries.js';

const shared = {
  // Legacy decorators for type-graphql and MikroORM; every decorator names its type, so no metadata is emitted.
  oxc: { decorator: { legacy: true } },
  // graphql 16 is a dual package without "exports": Vite would take index.mjs while CommonJS packages require
  // index.js, and two copies of graphql refuse to mix.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
};

export default defineConfig({
  ...shared,
  test: {
    // Files wait for PostgreSQL, sockets and background steps most of the time, so more of them run than there are cores.
    maxWorkers: 4,
    // A worker loads the panel once, not once per file: what a file starts is its own, and modules keep no state.
    isolate: false,
    sequence: { sequencer: LongestFirst },
    reporters: ['default', new Tries()],
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/*.test.ts'],
          environment: 'node',
        },
      },
      {
        ...shared,
        test: {
          // Stand-ins need no panel and no database.
          name: 'sandbox',
          include: ['test/sandbox/**/*.test.ts'],
          environment: 'node',
          testTimeout: 60_000,
          hookTimeout: 60_000,
          expect: { poll: { timeout: 20_000 } },
        },
      },
      {
        ...shared,
        test: {
          name: 'platform',
          include: ['test/*/**/*.test.ts'],
          exclude: ['test/unit/**', 'test/sandbox/**', 'test/support/**'],
          environment: 'node',
          globalSetup: ['test/support/run.ts'],
          testTimeout: 60_000,
          expect: { poll: { timeout: 50_000 } },
          hookTimeout: 120_000,
          // A busy build machine may delay one step past another, and is half as fast in some hours as in others; what fails
          // there three times is wrong. Tests that were tried again are named in what is printed, with why.
          retry: process.env['CI'] === undefined ? 0 : 2,
        },
      },
    ],
  },
});
