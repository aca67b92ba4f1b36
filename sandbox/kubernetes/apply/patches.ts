import { StatusError } from '../errors.js';
import { fieldOf, untyped, type Schema } from '../schema/schema.js';
import { copyOf, isObject, isSame, type Json, type JsonObject } from '../wire.js';

/** RFC 7386. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return copyOf(patch);
  const result: JsonObject = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else if (value !== undefined) result[name] = mergePatch(result[name], value);
  }
  return result;
}

/** Kubernetes' own kind of merge patch: lists are merged by the keys of their items, `$patch` replaces or deletes. */
export function strategicPatch(target: Json | undefined, patch: Json, schema: Schema): Json {
  if (schema.type === 'keyed' && Array.isArray(patch)) return keyedPatch(target, patch, schema);
  if (schema.type === 'set' && Array.isArray(patch)) {
    const items = Array.isArray(target) ? target : [];
    return [...items, ...patch.filter((item) => !items.some((other) => isSame(item, other)))];
  }
  if (!isObject(patch)) return copyOf(patch);
  if (patch['$patch'] === 'replace') {
    const { $patch: _directive, ...rest } = patch;
    return copyOf(rest);
  }
  const result: JsonObject = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (name === '$retainKeys' && Array.isArray(value)) {
      for (const key of Object.keys(result)) if (!value.includes(key)) delete result[key];
    } else if (name.startsWith('$deleteFromPrimitiveList/') && Array.isArray(value)) {
      const list = name.slice(name.indexOf('/') + 1);
      const items = result[list];
      if (Array.isArray(items))
        result[list] = items.filter((item) => !value.some((gone) => isSame(gone, item)));
    } else if (name.startsWith('$')) continue;
    else if (value === null) delete result[name];
    else if (value !== undefined)
      result[name] = strategicPatch(result[name], value, fieldOf(schema, name) ?? untyped);
  }
  return result;
}

function keyedPatch(
  target: Json | undefined,
  patch: readonly Json[],
  schema: Schema & { type: 'keyed' },
): Json {
  let items = Array.isArray(target) ? [...target] : [];
  if (patch.some((item) => isObject(item) && item['$patch'] === 'replace'))
    return patch.filter((item) => !isObject(item) || item['$patch'] === undefined);
  const keyOf = (item: Json) => (isObject(item) ? item[schema.mergeKey] : undefined);
  for (const item of patch) {
    const at = items.findIndex((other) => keyOf(other) === keyOf(item));
    if (isObject(item) && item['$patch'] === 'delete') items = items.filter((_, index) => index !== at);
    else if (at < 0) items.push(strategicPatch(undefined, item, schema.of));
    else items[at] = strategicPatch(items[at], item, schema.of);
  }
  return items;
}

interface Step {
  op: string;
  path: string;
  from?: string;
  value?: Json;
}

/** RFC 6902, without `move` and `copy`, which nobody sends here. */
export function jsonPatch(target: Json, patch: Json): Json {
  if (!Array.isArray(patch)) throw new StatusError('BadRequest', 'a JSON patch must be an array');
  const result = copyOf(target);
  for (const step of patch as unknown as Step[]) applyStep(result, step);
  return result;
}

function applyStep(root: Json, { op, path, value }: Step): void {
  const names = path
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = names.pop();
  if (last === undefined) throw new StatusError('Invalid', 'the whole object can not be patched');
  let parent: Json | undefined = root;
  for (const name of names)
    parent = Array.isArray(parent) ? parent[Number(name)] : isObject(parent) ? parent[name] : undefined;
  const missing = () =>
    new StatusError(
      'Invalid',
      `the server rejected our request due to an error in our request: ${op} ${path}`,
    );
  if (Array.isArray(parent)) {
    const at = last === '-' ? parent.length : Number(last);
    if (op === 'add') parent.splice(at, 0, value ?? null);
    else if (op === 'replace' && at < parent.length) parent[at] = value ?? null;
    else if (op === 'remove' && at < parent.length) parent.splice(at, 1);
    else if (op !== 'test' || !isSame(parent[at], value)) throw missing();
    return;
  }
  if (!isObject(parent)) throw missing();
  if (op === 'add') parent[last] = value ?? null;
  else if (op === 'replace' && last in parent) parent[last] = value ?? null;
  else if (op === 'remove' && last in parent) delete parent[last];
  else if (op !== 'test' || !isSame(parent[last], value)) throw missing();
}
