import type { Schema } from '../schema/schema.js';
import { copyOf, isSame, type Json, type JsonObject, type KubeObject, type ManagedFields } from '../wire.js';
import { FieldSet } from './field-set.js';
import { valueAt } from './values.js';

/** Who changes an object, and how. */
export interface Manager {
  manager: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  subresource?: string;
}

export interface Entry extends Manager {
  time: string | undefined;
  set: FieldSet;
}

// What the server itself keeps of an object belongs to nobody.
const kept = [
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
  'selfLink',
  'generateName',
];

/** What of an object can be owned, in a subresource or beside it. */
export function ownable(object: KubeObject | JsonObject, subresource: string | undefined): JsonObject {
  const { apiVersion: _version, kind: _kind, metadata, status, ...rest } = copyOf(object) as JsonObject;
  const others = Object.fromEntries(
    Object.entries((metadata ?? {}) as JsonObject).filter(([name]) => !kept.includes(name)),
  );
  const isEmpty = Object.keys(others).length === 0;
  if (subresource === 'status')
    return { ...(status === undefined ? {} : { status }), ...(isEmpty ? {} : { metadata: others }) };
  return { ...rest, ...(isEmpty ? {} : { metadata: others }) };
}

export function entriesOf({ metadata }: KubeObject): Entry[] {
  return (metadata.managedFields ?? []).map(({ fieldsV1, fieldsType: _type, time, ...manager }) => ({
    ...manager,
    time,
    set: FieldSet.fromFieldsV1(fieldsV1),
  }));
}

export function toManagedFields(entries: readonly Entry[]): ManagedFields[] {
  return entries
    .filter(({ set }) => set.size > 0)
    .map(({ set, time, subresource, manager, operation, apiVersion }) => ({
      manager,
      operation,
      apiVersion,
      ...(time === undefined ? {} : { time }),
      fieldsType: 'FieldsV1',
      fieldsV1: set.toFieldsV1(),
      ...(subresource === undefined ? {} : { subresource }),
    }));
}

export const isOf = (entry: Manager, manager: Manager): boolean =>
  entry.manager === manager.manager &&
  entry.operation === manager.operation &&
  entry.subresource === manager.subresource;

/** The managers of an object after it was changed outright: who changes a field owns it, and nobody else does. */
export function managersAfterUpdate(
  before: KubeObject | undefined,
  after: KubeObject,
  schema: Schema,
  manager: Manager,
  time: string,
): ManagedFields[] {
  const was = before && ownable(before, manager.subresource);
  const is = ownable(after, manager.subresource);
  const had = FieldSet.of(was, schema);
  const has = FieldSet.of(is, schema);
  const changed = FieldSet.empty();
  for (const path of has.paths()) {
    const isItem = path.at(-1)!.startsWith('k:');
    const value = (of: Json | undefined) => valueAt(of, schema, path);
    if (!had.has(path) || (!isItem && !isSame(value(was), value(is)))) changed.add(path);
  }
  const removed = had.without(has);
  const entries = before ? entriesOf(before) : [];
  const others = entries
    .filter((entry) => !isOf(entry, manager))
    .map((entry) => ({ ...entry, set: entry.set.without(changed).without(removed) }));
  const own = entries.find((entry) => isOf(entry, manager));
  if (changed.size === 0 && removed.size === 0) return toManagedFields(entries);
  const set = (own?.set ?? FieldSet.empty()).union(changed).without(removed);
  return toManagedFields([...others, { ...manager, time, set }]);
}
