import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';

import { buildWhenChanged } from './made-of.ts';

const root = join(import.meta.dirname, '..');

await buildWhenChanged('dist/web/.made-of', ['web/**/*', 'tools/build-console.ts'], async () => {
  // Tests run this too, and would ship React's slow half.
  process.env['NODE_ENV'] = 'production';
  const { build } = await import('vite');
  await build({ configFile: join(root, 'web', 'vite.config.ts'), logLevel: 'error' });
  // Compressed once here, as well as can be, in the place of each time that one is asked for.
  for (const file of globSync('dist/web/assets/*.{js,css,svg}', { cwd: root })) {
    const text = readFileSync(join(root, file));
    writeFileSync(join(root, `${file}.br`), brotliCompressSync(text));
    writeFileSync(join(root, `${file}.gz`), gzipSync(text, { level: 9 }));
  }
});
