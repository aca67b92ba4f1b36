import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { assetPath } from '#platform/package-root.js';

const web = assetPath('web');

/** The addresses of all pages, as the router has them: `/instances/$id`. */
export function routePaths(): string[] {
  const source = readFileSync(join(web, 'app', 'router.tsx'), 'utf8');
  return [...source.matchAll(/\bpath: '([^']+)'/g)].map(([, path]) => path!);
}

/** The pages that the navigation leads to, by their addresses: what it takes to see them. */
export function listedPages(): ReadonlyMap<string, string> {
  const source = readFileSync(join(web, 'app', 'pages.ts'), 'utf8');
  const found = source.matchAll(/\bto: '([^']+)'[^}]*?permission: '([^']+)'/g);
  return new Map([...found].map(([, to, permission]) => [to!, permission!]));
}

/** What dialogs are called, by the files that have one, each as a pattern of its title. */
export function dialogTitles(): RegExp[] {
  return sources(web).flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/<(?:Form)?Dialog\s+title=(?:"([^"]+)"|\{`([^`]+)`\})/g)].map(
      ([, text, template]) => new RegExp(`^${patternOf(text ?? template!)}$`),
    ),
  );
}

function patternOf(title: string): string {
  const parts = title
    .split(/\$\{[^}]*\}/)
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return parts.join('.+');
}

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.tsx'))
    .map((name) => join(folder, name));
}
