import {
  getNullableType,
  isEnumType,
  isListType,
  type GraphQLEnumType,
  type GraphQLOutputType,
} from 'graphql';

import type { Selection } from './selection.js';

/** Turns a GraphQL value into the REST one, in place where it can. Applying it twice changes nothing more. */
export type Render = (value: unknown) => unknown;

/** The renderer of a whole selection, or undefined when its values are shown as they are. */
export function renderer(selection: Selection): Render | undefined {
  const fields: [key: string, render: Render][] = [];
  for (const [key, { type, children }] of selection) {
    const render = valueRenderer(type, children);
    if (render) fields.push([key, render]);
  }
  if (fields.length === 0) return undefined;
  return (value) => {
    if (typeof value !== 'object' || value === null) return value;
    const object = value as Record<string, unknown>;
    for (const [key, render] of fields) {
      // Absent where a fragment's type condition did not hold.
      if (object[key] !== undefined && object[key] !== null) object[key] = render(object[key]);
    }
    return object;
  };
}

function valueRenderer(type: GraphQLOutputType, children: Selection | undefined): Render | undefined {
  const present = getNullableType(type);
  if (isListType(present)) {
    const render = valueRenderer(present.ofType, children);
    return render && ((value) => renderItems(value, render));
  }
  if (children) return renderer(children);
  if (isEnumType(present)) return lowerCaseOf(present);
  return present.toString() === 'DateTime' ? wholeSeconds : undefined;
}

function renderItems(value: unknown, render: Render): unknown {
  if (!Array.isArray(value)) return value;
  const items: unknown[] = value;
  for (const [at, item] of items.entries()) if (item !== null) items[at] = render(item);
  return items;
}

function lowerCaseOf(type: GraphQLEnumType): Render {
  const words = new Map<unknown, string>(type.getValues().map(({ name }) => [name, name.toLowerCase()]));
  return (value) => words.get(value) ?? value;
}

const milliseconds = /\.\d+(?=Z$)/;
// `2025-01-15T10:30:00.000Z`, as DateTime always is; the rest is for times of other kinds.
const shownLength = 24;
const secondsLength = 19;
const dot = 46;
const zulu = 90;

/** Times are shown in UTC, cut to the second. In process a time may still be a Date. */
function wholeSeconds(value: unknown): unknown {
  if (typeof value === 'string' && isShown(value)) return `${value.slice(0, secondsLength)}Z`;
  if (typeof value === 'string' && value.endsWith('Z')) return value.replace(milliseconds, '');
  const time = value instanceof Date ? value : new Date(String(value));
  return Number.isNaN(time.getTime()) ? value : time.toISOString().replace(milliseconds, '');
}

function isShown(value: string): boolean {
  return (
    value.length === shownLength &&
    value.charCodeAt(secondsLength) === dot &&
    value.charCodeAt(shownLength - 1) === zulu
  );
}

/** Compiles the removal of nulls at the given dot paths of response keys. */
export function nullDropper(paths: readonly string[]): Render | undefined {
  const keys = paths.map((path) => path.split('.'));
  if (keys.length === 0) return undefined;
  return (value) => {
    for (const path of keys) dropNull(value, path, 0);
    return value;
  };
}

function dropNull(value: unknown, path: readonly string[], at: number): void {
  if (Array.isArray(value)) {
    for (const item of value) dropNull(item, path, at);
    return;
  }
  const key = path[at];
  if (typeof value !== 'object' || value === null || key === undefined) return;
  const object = value as Record<string, unknown>;
  if (at < path.length - 1) dropNull(object[key], path, at + 1);
  else if (object[key] === null) delete object[key];
}
