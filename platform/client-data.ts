import { headOf } from './cut-text.js';

/** How deep a client's JSON may be nested: arrays and objects, the outermost included. */
export const deepestData = 64;

/** How many values one request may carry: a beat with 500 samples and full facts has some 10 000. */
export const mostValues = 15_000;

/** How many of them may have a name: a beat with 500 samples and full facts has some 7 000. */
export const mostNames = 8_000;

/** Bytes of one string in a request as it is written there, escapes included; no field takes half as much. */
export const longestString = 256 * 1024;

/** The same of a name; not in a report, which is taken as far as it can be. */
export const longestName = 256;

/** Bytes of a request's body, after decompression; also of a message on a WebSocket. */
export const longestBody = 1024 * 1024;

/** The same for whoever is not signed in. */
export const longestBodyOfStrangers = 64 * 1024;

export type DataPath = readonly (string | number)[];

/** The first thing about a client's data that nobody after the check could take, and where it is. */
export interface DataFault {
  /** `text`: a string, and `name`: an object's key, that PostgreSQL can't store. */
  kind: 'depth' | 'count' | 'text' | 'name';
  path: DataPath;
}

export const mustBeText = 'must be well-formed text without null characters';

/** NUL and lone surrogates are legal in JSON and GraphQL, but PostgreSQL can store neither. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

interface Level {
  container: Record<string, unknown> | readonly unknown[];
  /** Of an object; an array has its indexes. */
  keys: readonly string[] | undefined;
  length: number;
  /** The entry that is looked at next. */
  at: number;
}

/**
 * Looks through everything a client sent, JSON scalars included: once for each value, without recursion, and with the
 * path only of what is wrong. What is no data of its own, but a record of such (variables, arguments), is given one level
 * more by `fields`. Whoever looks before it is known whether text is to be refused or mended says `text: false`.
 */
export function findDataFault(value: unknown, { fields = false, text = true } = {}): DataFault | undefined {
  const isFine = (words: string) => !text || isStorable(words);
  if (typeof value === 'string') return isFine(value) ? undefined : { kind: 'text', path: [] };
  const first = levelOf(value);
  const levels = first ? [first] : [];
  const deepest = fields ? deepestData + 1 : deepestData;
  let count = 0;
  for (let level = first; level; level = levels.at(-1)) {
    if (level.at === level.length) {
      levels.pop();
      continue;
    }
    const { container, keys } = level;
    const key = keys ? keys[level.at]! : level.at;
    level.at += 1;
    count += 1;
    if (count > mostValues) return { kind: 'count', path: pathTo(levels.slice(0, 1)) };
    if (typeof key === 'string' && !isFine(key)) return { kind: 'name', path: pathTo(levels.slice(0, -1)) };
    const inner = (container as Record<string | number, unknown>)[key];
    if (typeof inner === 'string') {
      if (!isFine(inner)) return { kind: 'text', path: pathTo(levels) };
      continue;
    }
    const below = levelOf(inner);
    if (!below) continue;
    if (levels.length === deepest) return { kind: 'depth', path: pathTo(levels) };
    levels.push(below);
  }
  return undefined;
}

function levelOf(value: unknown): Level | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) return { container: value, keys: undefined, length: value.length, at: 0 };
  const keys = Object.keys(value);
  return { container: value as Record<string, unknown>, keys, length: keys.length, at: 0 };
}

/** To the entry that each level is at. */
function pathTo(levels: readonly Level[]): DataPath {
  return levels.map(({ keys, at }) => (keys ? keys[at - 1]! : at - 1));
}

// Names in JSON are as long as their sender likes, and stand in paths and sentences alike.
const cut = (text: string, longest: number) => (text.length > longest ? `${headOf(text, longest)}...` : text);

/** A path as an answer shows it. */
export const shortPath = (path: string): string => cut(path, 80);

/** A sentence of an answer that quotes what was sent. */
export const shortSentence = (sentence: string): string => cut(sentence, 300);

/** What is wrong with the data, as a sentence. `whole` is what the data itself is called, as in `the body`. */
export function describeFault({ kind, path }: DataFault, whole: string): string {
  const at = path.length === 0 ? whole : shortPath(path.join('.'));
  const subject = path.length === 0 ? at.charAt(0).toUpperCase() + at.slice(1) : at;
  switch (kind) {
    case 'text':
      return `${subject} ${mustBeText}`;
    case 'name':
      return `The names in ${at} ${mustBeText}`;
    case 'depth':
      return `${subject} is nested deeper than ${deepestData} levels`;
    case 'count':
      return `${subject} has more than ${mostValues} values`;
  }
}
