import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { composeSupergraph } from '#gateway/compose.js';
import { systemClock } from '#platform/clock.js';
import { silentLogger } from '#platform/logger.js';
import { assetPath } from '#platform/package-root.js';
import { Keyring } from '#platform/secrets/keyring.js';

import { areaNames, areaSettings } from './areas.js';
import { run } from './run.js';
import { createSubgraphs } from './subgraphs.js';

/** The schema files as the code has them: name to text. Needs no database. */
export async function schemaFiles(): Promise<Record<string, string>> {
  const keyring = new Keyring([Buffer.alloc(32)]);
  const subgraphs = await createSubgraphs({
    names: areaNames,
    databaseUrls: { url: 'postgresql://nobody@127.0.0.1:1/none' },
    keyring,
    clock: systemClock,
    logger: silentLogger,
    publicUrl: 'http://localhost',
    nodeName: 'schema',
    settings: areaSettings({}),
  });
  const { supergraphSdl, apiSdl } = composeSupergraph(subgraphs.all);
  await subgraphs.stop();
  return {
    ...Object.fromEntries(subgraphs.all.map(({ name, sdl }) => [`${name}.graphql`, `${sdl.trimEnd()}\n`])),
    'supergraph.graphql': `${supergraphSdl.trimEnd()}\n`,
    'api.graphql': apiSdl,
  };
}

/** The committed files that differ from the code's. */
export function staleFiles(files: Record<string, string>): string[] {
  return Object.entries(files)
    .filter(([name, text]) => readIfThere(assetPath('schema', name)) !== text)
    .map(([name]) => join('schema', name));
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

if (process.argv[1]?.endsWith('print-schema.ts')) {
  await run(async () => {
    const files = await schemaFiles();
    const stale = staleFiles(files);
    if (process.argv.includes('--check')) {
      if (stale.length === 0) return;
      throw new Error(
        `These files are not what the code says; run "npm run schema":\n  ${stale.join('\n  ')}`,
      );
    }
    mkdirSync(assetPath('schema'), { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(assetPath('schema', name), text);
    process.stdout.write(stale.length === 0 ? 'schema/ is up to date\n' : `written: ${stale.join(', ')}\n`);
  });
}
