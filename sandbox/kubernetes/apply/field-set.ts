import { fieldOf, untyped, type Schema } from '../schema/schema.js';
import { isObject, type Json, type JsonObject } from '../wire.js';

/** A step of a path as FieldsV1 writes it: `f:` and a name, `k:` and an item's keys, `v:` and a set's value. */
export type Step = string;
export type Path = readonly Step[];

const keyOf = (path: Path): string => JSON.stringify(path);

/** Fields of an object: leaves, and items of lists for themselves. */
export class FieldSet {
  private constructor(private readonly members: Map<string, Path>) {}

  static empty(): FieldSet {
    return new FieldSet(new Map());
  }

  /** All that a value says. */
  static of(value: Json | undefined, schema: Schema): FieldSet {
    const set = FieldSet.empty();
    collect(value, schema, [], set);
    return set;
  }

  static fromFieldsV1(fields: JsonObject): FieldSet {
    const set = FieldSet.empty();
    const walk = (node: JsonObject, path: Path): void => {
      const steps = Object.keys(node).filter((step) => step !== '.');
      if ('.' in node || (steps.length === 0 && path.length > 0)) set.add(path);
      for (const step of steps) walk(node[step] as JsonObject, [...path, step]);
    };
    walk(fields, []);
    return set;
  }

  toFieldsV1(): JsonObject {
    const root: JsonObject = {};
    const paths = [...this.members.values()].toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    for (const path of paths) {
      let node = root;
      for (const step of path) node = (node[step] ??= {}) as JsonObject;
      if (this.hasBelow(path)) node['.'] = {};
    }
    return root;
  }

  get size(): number {
    return this.members.size;
  }

  paths(): Path[] {
    return [...this.members.values()];
  }

  has(path: Path): boolean {
    return this.members.has(keyOf(path));
  }

  /** Whether any member lies below the path. */
  hasBelow(path: Path): boolean {
    return this.paths().some(
      (other) => other.length > path.length && path.every((step, at) => other[at] === step),
    );
  }

  add(path: Path): void {
    this.members.set(keyOf(path), path);
  }

  delete(path: Path): void {
    this.members.delete(keyOf(path));
  }

  union(other: FieldSet): FieldSet {
    return new FieldSet(new Map([...this.members, ...other.members]));
  }

  without(other: FieldSet): FieldSet {
    return new FieldSet(new Map([...this.members].filter(([key]) => !other.members.has(key))));
  }
}

/** What tells an item of a list from the others. */
export function itemStep(schema: Schema & { type: 'keyed' }, item: Json): Step {
  const keys = schema.keys.map((key) => [
    key,
    (isObject(item) ? item[key] : undefined) ?? schema.defaults[key],
  ]);
  return `k:${JSON.stringify(Object.fromEntries(keys.filter(([, value]) => value !== undefined)))}`;
}

function collect(value: Json | undefined, schema: Schema, path: Path, set: FieldSet): void {
  if (value === undefined || value === null) return;
  if (schema.type === 'keyed' && Array.isArray(value)) {
    for (const item of value) {
      const at = [...path, itemStep(schema, item)];
      set.add(at);
      collect(item, schema.of, at, set);
    }
    return;
  }
  if (schema.type === 'set' && Array.isArray(value)) {
    for (const item of value) set.add([...path, `v:${JSON.stringify(item)}`]);
    return;
  }
  const isWhole = (schema.type === 'object' || schema.type === 'map') && schema.isAtomic;
  if (isObject(value) && !isWhole && Object.keys(value).length > 0) {
    for (const [name, inner] of Object.entries(value))
      collect(inner, fieldOf(schema, name) ?? untyped, [...path, `f:${name}`], set);
    return;
  }
  if (path.length > 0) set.add(path);
}

/** A path as conflicts name it: `.spec.template.spec.containers[name="web"].image`. */
export function nameOf(path: Path): string {
  return path
    .map((step) => {
      const rest = step.slice(2);
      if (step.startsWith('f:')) return `.${rest}`;
      if (step.startsWith('v:')) return `[=${rest}]`;
      const keys = Object.entries(JSON.parse(rest) as JsonObject);
      return `[${keys.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}]`;
    })
    .join('');
}
