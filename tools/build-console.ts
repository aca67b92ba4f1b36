import { createHash } from 'node:crypto';
import { globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const root = join(import.meta.dirname, '..');
const stamp = join(root, 'dist', 'web', '.made-of');

/** All that the console is made of: its sources, and the versions of what it uses. */
function ingredients(): string {
  const hash = createHash('sha256');
  const sources = globSync('web/**/*', { cwd: root }).filter((file) => statSync(join(root, file)).isFile());
  for (const file of [...sources.toSorted(), 'package-lock.json', 'tools/build-console.ts']) {
    hash.update(`${file}\0`).update(readFileSync(join(root, file)));
  }
  return hash.digest('hex');
}

/** What the last build was made of; nothing where there was none. */
function lastBuild(): string {
  try {
    return readFileSync(stamp, 'utf8');
  } catch {
    return '';
  }
}

// Everything that starts builds first, so a console that is as it was costs nothing.
const wanted = ingredients();
if (lastBuild() !== wanted) {
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
  writeFileSync(stamp, wanted);
}
