import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { compareApis, lines, parseDecisions, refusal, type Decision } from './api-changes.js';

/**
 * Compares `schema/api.graphql` with the API that clients know, `schema/published/api.graphql`, both as committed: no
 * history is needed. Without `--check` what breaks nobody, or was decided on, becomes the published API at once, so that
 * from then on it is protected as well.
 */
export async function publishedApi(
  folder: string,
  { isCheck, today }: { isCheck: boolean; today: string },
): Promise<string> {
  const files = {
    current: join(folder, 'api.graphql'),
    published: join(folder, 'published', 'api.graphql'),
    decisions: join(folder, 'published', 'decisions.json'),
  };
  const [current, published] = [readFileSync(files.current, 'utf8'), readFileSync(files.published, 'utf8')];
  const decisions = parseDecisions(readFileSync(files.decisions, 'utf8'));
  const comparison = await compareApis(published, current, decisions);
  const told =
    comparison.dangerous.length > 0
      ? `These changes may break some clients of the API:\n${lines(comparison.dangerous)}\n`
      : '';
  const refused = refusal(comparison);
  if (refused) throw new Error(told + refused);
  if (current === published) return told;
  if (isCheck) {
    throw new Error(`${told}schema/published/api.graphql is not the code's API; run "npm run schema"`);
  }
  writeFileSync(files.published, current);
  if (comparison.decided.length > 0) {
    const dated = decisions.map((decided): Decision => ({
      ...decided,
      published: decided.published ?? today,
    }));
    writeFileSync(files.decisions, `${JSON.stringify(dated, null, 2)}\n`);
  }
  return `${told}written: schema/published/api.graphql\n`;
}

if (process.argv[1]?.endsWith('published-api.ts')) {
  try {
    const folder = join(import.meta.dirname, '..', 'schema');
    const today = new Date().toISOString().slice(0, 10);
    process.stdout.write(await publishedApi(folder, { isCheck: process.argv.includes('--check'), today }));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
