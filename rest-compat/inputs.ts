import {
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredInputField,
  type GraphQLInputObjectType,
  type GraphQLInputType,
} from 'graphql';

import { leafOf, storable, type Read, type ReadText } from './leaves.js';
import type { Problems } from './problems.js';
import { isObject, join, snakeCase } from './text.js';

/** One field of an input type under its REST name. */
interface InputField {
  /** Its name in GraphQL. */
  name: string;
  required: boolean;
  json: Read;
  text: ReadText;
}

/** How a JSON object and a form become the value of one input type. */
export interface InputReader {
  json: Read;
  form: (form: URLSearchParams, problems: Problems) => unknown;
}

// Keyed by type, so that a type used by many rows is compiled once and one that contains itself ends.
const compiled = new WeakMap<GraphQLInputObjectType, InputReader>();

/** The reader of an input type: snake_case names in, the GraphQL value out. */
export function inputReader(type: GraphQLInputObjectType): InputReader {
  const known = compiled.get(type);
  if (known) return known;
  const fields = new Map<string, InputField>();
  const reader = readerOf(fields, type.isOneOf, isReport(type));
  compiled.set(type, reader);
  for (const field of Object.values(type.getFields())) {
    fields.set(snakeCase(field.name), {
      name: field.name,
      required: isRequiredInputField(field),
      json: jsonReader(field.type),
      text: textReader(field.type),
    });
  }
  return reader;
}

/** For routes that take no body: every field in one is unknown. */
export const noFields: InputReader = readerOf(new Map(), false, false);

export const unknownFields = 'unknownFields';

/**
 * Whether the type is one of what programs of any age report, which must count although a part of it is not understood:
 * it has a field for the names of those that are unknown here.
 */
export function isReport(type: GraphQLInputObjectType): boolean {
  return type.getFields()[unknownFields] !== undefined;
}

function readerOf(fields: ReadonlyMap<string, InputField>, oneOf: boolean, isLenient: boolean): InputReader {
  return {
    json(value, path, problems) {
      if (!isObject(value)) return problems.malformed(path, 'must be an object');
      const input: Record<string, unknown> = {};
      const unknown: string[] = [];
      for (const [key, item] of Object.entries(value)) {
        const at = join(path, key);
        const field = fields.get(key);
        if (!field && isLenient) unknown.push(key);
        else if (!field) problems.broken(at, unknownField(key, fields), `"${key}"`);
        else if (item !== null || !field.required) input[field.name] = field.json(item, at, problems);
      }
      if (unknown.length > 0) input[unknownFields] = unknown;
      requireAll(fields, input, path, problems);
      if (oneOf && Object.values(input).filter((item) => item !== null).length !== 1) {
        problems.broken(path || 'body', `must have exactly one of ${[...fields.keys()].join(', ')}`);
      }
      return input;
    },
    form(form, problems) {
      const input: Record<string, unknown> = {};
      for (const key of new Set(form.keys())) {
        const field = fields.get(key);
        const [text = '', ...more] = form.getAll(key);
        // RFC 6749, 3.2: unknown parameters are ignored, empty ones count as omitted, none may be repeated.
        if (!field || (text === '' && more.length === 0)) continue;
        if (more.length > 0) input[field.name] = problems.malformed(key, 'must be given once');
        else input[field.name] = field.text(text, key, problems);
      }
      requireAll(fields, input, '', problems);
      return input;
    },
  };
}

function requireAll(
  fields: ReadonlyMap<string, InputField>,
  input: Record<string, unknown>,
  path: string,
  problems: Problems,
): void {
  for (const [key, { name, required }] of fields) {
    if (required && !Object.hasOwn(input, name)) problems.broken(join(path, key), 'is required');
  }
}

function unknownField(key: string, fields: ReadonlyMap<string, InputField>): string {
  const meant = snakeCase(key);
  return meant !== key && fields.has(meant)
    ? `is not a known field; did you mean ${meant}?`
    : 'is not a known field';
}

/** Reads a value of any input type out of JSON. Unlike GraphQL, a single value is no list. */
export function jsonReader(type: GraphQLInputType): Read {
  if (isNonNullType(type)) {
    const read = jsonReader(type.ofType);
    return (value, path, problems) =>
      value === null ? problems.broken(path, 'must not be null') : read(value, path, problems);
  }
  const read = presentReader(type);
  return (value, path, problems) => (value === null ? null : read(value, path, problems));
}

function presentReader(type: GraphQLInputType): Read {
  if (isNonNullType(type)) return jsonReader(type);
  if (isInputObjectType(type)) {
    return inputReader(type).json;
  }
  if (!isListType(type)) return leafOf(type).json;
  const read = jsonReader(type.ofType);
  return (value, path, problems) =>
    Array.isArray(value)
      ? value.map((item: unknown, at) => read(item, join(path, at), problems))
      : problems.malformed(path, 'must be an array');
}

/** Reads a value of any input type out of text. A list is written with commas; objects have no such form. */
export function textReader(type: GraphQLInputType): ReadText {
  if (isNonNullType(type)) return textReader(type.ofType);
  if (isListType(type)) {
    const read = textReader(type.ofType);
    return (text, path, problems) => text.split(',').map((item) => read(item, path, problems));
  }
  if (isInputObjectType(type)) {
    return (_text, path, problems) => problems.malformed(path, 'cannot be sent as text');
  }
  return storable(leafOf(type).text);
}
