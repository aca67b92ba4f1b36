import { isNode, isScalar, LineCounter, type Document } from 'yaml';

import { headOf } from '#platform/cut-text.js';
import { mended } from '#platform/mended-text.js';
import { inTurns } from '#platform/slices.js';
import { wrongKeys, yamlDocuments, YamlTooLarge } from '#platform/yaml-documents.js';

import type { SourceFile } from '../git/repository.js';
import { readSpec } from './kinds.js';
import { keyOf, resourceKinds, type Declared, type Problem, type ResourceKind } from './resource.js';

/** What a folder declares, or all that is wrong with it. */
export interface Manifest {
  resources: readonly Declared[];
  problems: readonly Problem[];
}

const apiVersion = 'v1';
const mostResources = 500;
const mostDocuments = 1_000;
const mostProblems = 50;
const mostInOne = 5;
/** As often may anchors be repeated in one document. */
const mostAliases = 100;
/** In JSON: what PostgreSQL keeps neither in text nor in jsonb. */
const unkeepable = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/i;

/** Reads all files; one that is wrong spoils them all, so that nothing is half-known. Others have their turn in between. */
export async function readManifest(files: readonly SourceFile[]): Promise<Manifest> {
  const resources: Declared[] = [];
  const problems: Problem[] = [];
  let documents = 0;
  for await (const read of inTurns(documentsOf(files))) {
    resources.push(...read.resources);
    problems.push(...read.problems);
    documents += 1;
    if (documents > mostDocuments)
      problems.push({ message: `At most ${mostDocuments} documents, those with nothing in them included` });
    // The rest is of use to nobody.
    if (documents > mostDocuments || problems.length >= mostProblems) break;
  }
  problems.push(...repeated(resources));
  if (resources.length > mostResources)
    problems.push({ message: `At most ${mostResources} resources; there are ${resources.length}` });
  if (resources.length === 0 && problems.length === 0)
    problems.push({ message: 'There are no YAML files that declare anything: nothing is changed' });
  return { resources, problems: problems.slice(0, mostProblems) };
}

/** What each document says, one after the other. */
function* documentsOf(files: readonly SourceFile[]): Generator<Manifest> {
  for (const { path: file, text } of files) {
    const lines = new LineCounter();
    try {
      for (const document of yamlDocuments(text, lines)) yield readDocument(file, document, lines);
    } catch (error) {
      // Nested deeper than the stack, or an anchor that is part of itself.
      const line = error instanceof YamlTooLarge ? lines.lineStarts.length : null;
      yield { resources: [], problems: [{ file, line, message: sentenceOf(error) }] };
    }
  }
}

function readDocument(file: string, document: Document.Parsed, lines: LineCounter): Manifest {
  const lineAt = (offset: number | undefined): number | null =>
    offset === undefined ? null : lines.linePos(offset).line || null;
  const problem = (message: string, line: number | null): Manifest => ({
    resources: [],
    problems: [{ file, line, message }],
  });
  if (document.errors.length > 0)
    return {
      resources: [],
      problems: document.errors.slice(0, mostInOne).map((error) => ({
        file,
        line: lineAt(error.pos[0]),
        message: sentenceOf(error),
      })),
    };
  // Between two `---` there may be nothing but a comment.
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null))
    return { resources: [], problems: [] };
  const begins = lineAt(contents.range[0]);
  const wrong = wrongKeys(document, mostInOne);
  if (wrong.length > 0)
    return {
      resources: [],
      problems: wrong.map(({ message, offset }) => ({ file, line: lineAt(offset), message })),
    };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: mostAliases });
  } catch (error) {
    return problem(sentenceOf(error), begins);
  }
  if (unkeepable.test(JSON.stringify(value)))
    return problem('It has characters that are no text: NUL, or half of a pair', begins);
  const lineOf = (path: string): number | null => {
    const keys = path.split('.').filter(Boolean);
    // What is missing has no place of its own: that of what it is missing from.
    for (let length = keys.length; length > 0; length -= 1) {
      const node = document.getIn(keys.slice(0, length).map(keyIn), true);
      if (isNode(node) && node.range) return lineAt(node.range[0]);
    }
    return begins;
  };
  return declared(file, value, lineOf, begins ?? 1);
}

function declared(
  file: string,
  value: unknown,
  lineOf: (path: string) => number | null,
  begins: number,
): Manifest {
  const problems: Problem[] = [];
  const at = (path: string, message: string) => {
    if (problems.length < mostInOne) problems.push({ file, line: lineOf(path), message });
  };
  if (!isObject(value)) {
    at('', 'It is an object with apiVersion, kind, metadata and spec');
    return { resources: [], problems };
  }
  const { apiVersion: version, kind, metadata, spec, ...others } = value;
  for (const key of Object.keys(others)) at(key, `There is no ${key} here: apiVersion, kind, metadata, spec`);
  if (version !== apiVersion) at('apiVersion', `apiVersion is ${apiVersion}`);
  if (!isKind(kind)) at('kind', `kind is one of ${resourceKinds.join(', ')}`);
  const { name, ...more } = isObject(metadata) ? metadata : {};
  for (const key of Object.keys(more))
    at(`metadata.${key}`, `metadata has a name and nothing else, no ${key}`);
  if (typeof name !== 'string' || name.trim() === '' || name.length > 200)
    at('metadata.name', 'metadata.name is text of 1 to 200 characters');
  if (!isObject(spec)) at('spec', 'spec is an object');
  if (problems.length > 0 || !isKind(kind) || typeof name !== 'string' || !isObject(spec))
    return { resources: [], problems };
  const read = readSpec[kind](name.trim(), spec);
  if ('faults' in read) {
    for (const [path, message] of Object.entries(read.faults)) at(`spec${path}`, `spec${path}: ${message}`);
    return { resources: [], problems };
  }
  const place = { file, line: begins };
  return { resources: [{ kind, name: nameOf(kind, name), spec: read.spec, place }], problems };
}

/** Alert rules are named by their kind, as fleet has it, and so are their overrides. */
function nameOf(kind: ResourceKind, name: string): string {
  return kind === 'AlertRule' || kind === 'AlertRuleOverrides' ? name.trim().toUpperCase() : name.trim();
}

function repeated(resources: readonly Declared[]): Problem[] {
  const first = new Map<string, Declared>();
  return resources.flatMap((resource) => {
    const before = first.get(keyOf(resource));
    if (!before) {
      first.set(keyOf(resource), resource);
      return [];
    }
    const { file, line } = before.place;
    return [
      {
        ...resource.place,
        message: `There is a ${resource.kind} ${resource.name} already, in ${file} line ${line}`,
      },
    ];
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isKind(value: unknown): value is ResourceKind {
  return resourceKinds.some((kind) => kind === value);
}

/** Places in lists are numbers. */
function keyIn(key: string): string | number {
  return /^\d+$/.test(key) ? Number(key) : key;
}

/** The first line of what the parser says: the rest of it repeats the file. */
function sentenceOf(error: unknown): string {
  if (error instanceof RangeError) return 'It is nested too deeply';
  const text = error instanceof Error ? error.message : String(error);
  const first = (text.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '');
  // It quotes half of a pair where an escape is none.
  return mended(headOf(first, 300));
}
