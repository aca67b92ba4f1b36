import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';

import { parseSync } from 'oxc-parser';

import { packageRoot } from '#platform/package-root.js';

/** A source file: its path from the package root, and its text. */
export interface Source {
  file: string;
  text: string;
}

/** One mention of another module: import, re-export, `import()`, `import('...')` in a type, or `require()`. */
export interface Edge {
  from: string;
  /** As it is written; undefined for an `import()` of something computed. */
  specifier: string | undefined;
  /** Whether nothing of it is left at run time. */
  isType: boolean;
}

/** All TypeScript sources below these folders of the package; a folder that does not exist has none. */
export function readSources(folders: readonly string[]): Source[] {
  return folders.flatMap((folder) =>
    filesBelow(folder).map((file) => ({ file, text: readFileSync(join(packageRoot, file), 'utf8') })),
  );
}

function filesBelow(folder: string): string[] {
  let entries;
  try {
    entries = readdirSync(join(packageRoot, folder), { withFileTypes: true, recursive: true });
  } catch {
    return [];
  }
  return entries
    .filter((entry) => entry.isFile() && /\.[cm]?tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(packageRoot.length + 1))
    .filter((file) => !file.includes('node_modules/'));
}

/** `subgraphs/fleet` of a file or an alias below it, else the first folder. */
export function areaOf(path: string): string {
  const [first = '', second = ''] = path.split('/');
  return first === 'subgraphs' ? `${first}/${second}` : first;
}

/** A text without its comments, so that a rule may be spoken of. */
export function codeOf({ file, text }: Source): string {
  const { comments } = parse(file, text);
  let code = '';
  let at = 0;
  for (const { start, end } of comments) {
    code += text.slice(at, start);
    at = end;
  }
  return code + text.slice(at);
}

export function edgesOf(source: Source): Edge[] {
  const { module } = parse(source.file, source.text);
  const from = source.file;
  const imports = module.staticImports.map(({ moduleRequest, entries }) => ({
    from,
    specifier: moduleRequest.value,
    isType: entries.length > 0 && entries.every(({ isType }) => isType),
  }));
  const exports = module.staticExports.flatMap(({ entries }) =>
    entries.flatMap(({ moduleRequest, isType }) =>
      moduleRequest ? [{ from, specifier: moduleRequest.value, isType }] : [],
    ),
  );
  const dynamic = module.dynamicImports.map(({ moduleRequest }) => ({
    from,
    specifier: literalIn(source.text.slice(moduleRequest.start, moduleRequest.end)),
    isType: false,
  }));
  const known = new Set(dynamic.map(({ specifier }) => specifier));
  const mentioned = [...codeOf(source).matchAll(/\b(import|require)\(\s*(['"])([^'"]+)\2/g)].map(
    ([, word, , specifier]) => ({ from, specifier, isType: word === 'import' }),
  );
  return [...imports, ...exports, ...dynamic, ...mentioned.filter(({ specifier }) => !known.has(specifier))];
}

function literalIn(expression: string): string | undefined {
  return /^\s*(['"])([^'"]+)\1\s*$/.exec(expression)?.[2];
}

const parsed = new Map<string, ReturnType<typeof parseSync>>();

function parse(file: string, text: string): ReturnType<typeof parseSync> {
  const known = parsed.get(text);
  if (known) return known;
  const answer = parseSync(basename(file), text);
  if (answer.errors.length > 0) throw new Error(`${file}: ${answer.errors[0]!.message}`);
  parsed.set(text, answer);
  return answer;
}

/** Where an edge leads: a path from the package root for our own files, the package's name for others. */
export function targetOf({ from, specifier = '' }: Edge): { path: string } | { package: string } {
  if (specifier.startsWith('.')) return { path: posix.join(posix.normalize(dirname(from)), specifier) };
  if (specifier.startsWith('#')) return { path: specifier.slice(1) };
  return { package: /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier };
}
