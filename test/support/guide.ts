import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

import { assetPath } from '#platform/package-root.js';

/** The samples of a page of docs/ in one language, in their order. */
export function samples(page: string, language: string): string[] {
  const text = readFileSync(assetPath('docs', page), 'utf8');
  return [...text.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].flatMap(([, written, sample]) =>
    written === language ? [sample!] : [],
  );
}

/** Runs samples after each other in one shell, as who follows the page does, and answers what the panel answered. */
export async function follow(shell: readonly string[], url: string): Promise<unknown[]> {
  const script = [
    'set -eu',
    'curl() { command curl "$@"; echo; }',
    ...shell.map((sample) => sample.replace('http://localhost:4000', url)),
  ].join('\n');
  const { stdout } = await promisify(execFile)('bash', ['-c', script], { timeout: 60_000 });
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as unknown]));
}
