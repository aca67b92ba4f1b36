import { fieldOf, untyped, type Schema } from '../schema/schema.js';
import { copyOf, isObject, isSame, type Json, type JsonObject } from '../wire.js';
import { itemStep, type Path } from './field-set.js';

/** The value at a path; undefined where nothing is. */
export function valueAt(value: Json | undefined, schema: Schema, path: Path): Json | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (step.startsWith('f:')) {
    const name = step.slice(2);
    return isObject(value) ? valueAt(value[name], fieldOf(schema, name) ?? untyped, rest) : undefined;
  }
  const item = Array.isArray(value) ? value[placeOf(value, schema, step)] : undefined;
  return valueAt(item, innerOf(schema), rest);
}

/** Takes away what is at a path. */
export function removeAt(value: Json | undefined, schema: Schema, path: Path): void {
  const [step, ...rest] = path;
  if (step === undefined) return;
  if (step.startsWith('f:')) {
    const name = step.slice(2);
    if (!isObject(value)) return;
    if (rest.length === 0) delete value[name];
    else {
      removeAt(value[name], fieldOf(schema, name) ?? untyped, rest);
      const inner = value[name];
      // A list or an object whose last part is gone is gone itself.
      if (
        (Array.isArray(inner) && inner.length === 0) ||
        (isObject(inner) && Object.keys(inner).length === 0)
      )
        delete value[name];
    }
    return;
  }
  if (!Array.isArray(value)) return;
  const at = placeOf(value, schema, step);
  if (at < 0) return;
  if (rest.length === 0) value.splice(at, 1);
  else removeAt(value[at], innerOf(schema), rest);
}

/** Lays an applied value over the one that is there. */
export function merged(live: Json | undefined, applied: Json | undefined, schema: Schema): Json | undefined {
  if (applied === undefined) return live;
  if (schema.type === 'keyed' && Array.isArray(applied)) {
    const items = Array.isArray(live) ? [...live] : [];
    for (const item of applied) {
      const at = placeOf(items, schema, itemStep(schema, item));
      const next = merged(at < 0 ? undefined : items[at], item, schema.of)!;
      if (at < 0) items.push(next);
      else items[at] = next;
    }
    return items;
  }
  if (schema.type === 'set' && Array.isArray(applied)) {
    const items = Array.isArray(live) ? [...live] : [];
    return [...items, ...applied.filter((item) => !items.some((other) => isSame(other, item)))];
  }
  const isWhole = (schema.type === 'object' || schema.type === 'map') && schema.isAtomic;
  if (isObject(applied) && isObject(live) && !isWhole) {
    const result: JsonObject = { ...live };
    for (const [name, inner] of Object.entries(applied)) {
      if (inner === null) delete result[name];
      else result[name] = merged(live[name], inner, fieldOf(schema, name) ?? untyped);
    }
    return result;
  }
  return copyOf(applied);
}

function placeOf(items: readonly Json[], schema: Schema, step: string): number {
  if (step.startsWith('v:')) return items.findIndex((item) => `v:${JSON.stringify(item)}` === step);
  return schema.type === 'keyed' ? items.findIndex((item) => itemStep(schema, item) === step) : -1;
}

function innerOf(schema: Schema): Schema {
  return 'of' in schema ? schema.of : untyped;
}
