import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { preset } from '@graphql-codegen/client-preset';
import { codegen } from '@graphql-codegen/core';
import { buildASTSchema, parse } from 'graphql';

const root = join(import.meta.dirname, '..');
const file = join(root, 'web', 'generated', 'graphql.ts');

/** The console's documents as typed values, by the client preset of GraphQL Code Generator, against what clients see. */
async function consoleTypes(): Promise<string> {
  const schema = parse(readFileSync(join(root, 'schema', 'api.graphql'), 'utf8'));
  const documents = globSync('web/**/*.graphql', { cwd: root })
    .toSorted()
    .map((path) => {
      const rawSDL = readFileSync(join(root, path), 'utf8');
      return { location: path, rawSDL, document: parse(rawSDL) };
    });
  const config = {
    useTypeImports: true,
    enumsAsTypes: true,
    skipTypename: true,
    dedupeFragments: true,
    strictScalars: true,
    scalars: {
      DateTime: 'string',
      JSON: 'unknown',
      JSONObject: 'Record<string, unknown>',
      Measurement: 'unknown',
      MinorUnits: 'number',
      ReportedText: 'unknown',
      ReportedTime: 'unknown',
    },
  };
  const sections = await preset.buildGeneratesSection({
    baseOutputDir: 'web/generated/',
    schema,
    schemaAst: buildASTSchema(schema),
    documents,
    config,
    presetConfig: { fragmentMasking: false },
    plugins: [],
    pluginMap: {},
    pluginContext: {},
    profiler: { outputName: '', run: async (work) => work(), collect: () => [], clear: () => undefined },
    documentTransforms: [],
  });
  // The rest of the preset finds documents by their text, so that a page would load those of all others.
  const section = sections.find(({ filename }) => filename.endsWith('/graphql.ts'));
  if (!section) throw new Error('The client preset makes no graphql.ts any more');
  return codegen(section);
}

const text = await consoleTypes();
if (!process.argv.includes('--check')) writeFileSync(file, text);
else if (readFileSync(file, 'utf8') !== text) {
  process.stderr.write('web/generated is not what the documents and the schema make; run "npm run schema"\n');
  process.exitCode = 1;
}
