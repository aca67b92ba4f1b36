import { isEnumType, type GraphQLEnumType, type GraphQLLeafType, type GraphQLScalarType } from 'graphql';

import { isStorable, mustBeText } from '#platform/client-data.js';

import type { Problems } from './problems.js';
import { isObject } from './text.js';

/** Reads a value that JSON already typed; what is wrong goes to `problems` under the client's path. */
export type Read = (value: unknown, path: string, problems: Problems) => unknown;

/** Reads a value that came as text (path, query, form), so every fault is one of form. */
export type ReadText = (text: string, path: string, problems: Problems) => unknown;

/** The two ways in which a leaf's value can arrive. */
export interface Leaf {
  json: Read;
  text: ReadText;
}

const int32 = 2 ** 31;
const beyondInt32 = `must be between ${-int32} and ${int32 - 1}`;
const isInt32 = (value: number): boolean => value >= -int32 && value < int32;

const string: Leaf = {
  json: (value, path, problems) =>
    typeof value === 'string' ? value : problems.malformed(path, 'must be a string'),
  text: (text) => text,
};

const int: Leaf = {
  json(value, path, problems) {
    if (!Number.isInteger(value)) return problems.malformed(path, 'must be an integer');
    return isInt32(value as number) ? value : problems.broken(path, beyondInt32);
  },
  text(text, path, problems) {
    if (!/^-?\d+$/.test(text)) return problems.malformed(path, 'must be an integer');
    return isInt32(Number(text)) ? Number(text) : problems.malformed(path, beyondInt32);
  },
};

const float: Leaf = {
  // JSON's 1e999 parses to Infinity, which GraphQL refuses.
  json: (value, path, problems) =>
    Number.isFinite(value) ? value : problems.malformed(path, 'must be a number'),
  text: (text, path, problems) =>
    /^-?\d+(\.\d+)?$/.test(text) && Number.isFinite(Number(text))
      ? Number(text)
      : problems.malformed(path, 'must be a number'),
};

const boolean: Leaf = {
  json: (value, path, problems) =>
    typeof value === 'boolean' ? value : problems.malformed(path, 'must be true or false'),
  text: (text, path, problems) =>
    text === 'true' || text === 'false' ? text === 'true' : problems.malformed(path, 'must be true or false'),
};

const mustBeTime = 'must be a time as in 2025-01-15T10:30:00Z';

const dateTime: Leaf = {
  json(value, path, problems) {
    if (typeof value !== 'string') return problems.malformed(path, 'must be a string');
    return isTime(value) ? value : problems.broken(path, mustBeTime);
  },
  text: (text, path, problems) => (isTime(text) ? text : problems.malformed(path, mustBeTime)),
};

const json: Leaf = {
  json: (value) => value,
  text(text, path, problems) {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return problems.malformed(path, 'must be JSON');
    }
  },
};

const jsonObject: Leaf = {
  json: (value, path, problems) => (isObject(value) ? value : problems.malformed(path, 'must be an object')),
  text: (text, path, problems) => jsonObject.json(json.text(text, path, problems), path, problems),
};

const scalars: Readonly<Record<string, Leaf>> = {
  String: string,
  ID: string,
  Int: int,
  Float: float,
  Boolean: boolean,
  DateTime: dateTime,
  JSON: json,
  JSONObject: jsonObject,
};

/** How values of an enum or scalar are read. A scalar unknown here is judged by its own parseValue. */
export function leafOf(type: GraphQLLeafType): Leaf {
  if (isEnumType(type)) return enumLeaf(type);
  return scalars[type.name] ?? parsedLeaf(type);
}

/** REST shows and takes an enum's words in lower case only. */
function enumLeaf(type: GraphQLEnumType): Leaf {
  const words = new Map(type.getValues().map(({ name }) => [name.toLowerCase(), name]));
  const rule = `must be one of ${[...words.keys()].join(', ')}`;
  return {
    json(value, path, problems) {
      if (typeof value !== 'string') return problems.malformed(path, 'must be a string');
      return words.get(value) ?? problems.broken(path, rule);
    },
    text: (text, path, problems) => words.get(text) ?? problems.malformed(path, rule),
  };
}

function parsedLeaf(type: GraphQLScalarType): Leaf {
  const accepts = (value: unknown): boolean => {
    try {
      return type.parseValue(value) !== undefined;
    } catch {
      return false;
    }
  };
  // The value goes on unparsed: execution parses it again where the operation runs.
  return {
    json: (value, path, problems) =>
      accepts(value) ? value : problems.broken(path, `must be a ${type.name}`),
    text: (text, path, problems) =>
      accepts(text) ? text : problems.malformed(path, `must be a ${type.name}`),
  };
}

function isTime(text: string): boolean {
  const [, day] =
    /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/.exec(
      text,
    ) ?? [];
  if (day === undefined) return false;
  // Date takes 30 February for 2 March; a day that exists comes back as it went in.
  const midnight = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
}

/** Text that a database could not keep is refused before its type is looked at. */
export function storable(read: ReadText): ReadText {
  return (text, path, problems) =>
    isStorable(text) ? read(text, path, problems) : problems.malformed(path, mustBeText);
}
