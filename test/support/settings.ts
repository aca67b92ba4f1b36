import { readFileSync } from 'node:fs';

import { assetPath } from '#platform/package-root.js';

/** The names of all settings, as .env.example lists them. */
export function exampleSettings(): string[] {
  return readFileSync(assetPath('.env.example'), 'utf8').match(/(?<=^#)[A-Z_]+(?==)/gm) ?? [];
}
