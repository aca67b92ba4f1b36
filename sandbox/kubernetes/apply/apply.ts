import { StatusError, type Cause } from '../errors.js';
import type { Schema } from '../schema/schema.js';
import { copyOf, isSame, word, type JsonObject, type KubeObject } from '../wire.js';
import { FieldSet, nameOf, type Path } from './field-set.js';
import { entriesOf, isOf, ownable, toManagedFields, type Entry, type Manager } from './managers.js';
import { merged, removeAt, valueAt } from './values.js';

export interface Application {
  live: KubeObject | undefined;
  applied: JsonObject;
  schema: Schema;
  manager: Manager;
  isForced: boolean;
  time: string;
}

/**
 * Server-side apply: what is applied is laid over the object, what its manager applied before and does not any more is
 * taken away unless somebody else owns it too, and what others own with other values is a conflict unless it is forced.
 */
export function apply({ live, applied, schema, manager, isForced, time }: Application): KubeObject {
  const wanted = ownable(applied, manager.subresource);
  const set = FieldSet.of(wanted, schema);
  const entries = live ? entriesOf(live) : [];
  const own = entries.find((entry) => isOf(entry, manager));
  const is = live && ownable(live, manager.subresource);
  const others = entries.filter((entry) => entry !== own);
  const conflicts = others.flatMap((entry) =>
    entry.set
      .paths()
      .filter((path) => set.has(path) && !path.at(-1)!.startsWith('k:'))
      .filter((path) => !isSame(valueAt(is, schema, path), valueAt(wanted, schema, path)))
      .map((path) => ({ entry, path })),
  );
  if (conflicts.length > 0 && !isForced) throw conflictError(conflicts);
  for (const { entry, path } of conflicts) entry.set.delete(path);

  const result = copyOf(merged(is ?? {}, wanted, schema)) as JsonObject;
  const owned = others.reduce((all, entry) => all.union(entry.set), set);
  const dropped = (own?.set ?? FieldSet.empty())
    .paths()
    .filter((path) => !owned.has(path) && !(path.at(-1)!.startsWith('k:') && owned.hasBelow(path)));
  // Items before what is in them, by which they are found.
  for (const path of dropped.toSorted((a, b) => a.length - b.length)) removeAt(result, schema, path);

  const isUnchanged = own !== undefined && isSame(own.set.toFieldsV1(), set.toFieldsV1());
  const entry: Entry = { ...manager, time: isUnchanged ? own.time : time, set };
  const { metadata, ...rest } = result;
  const base = live ? copyOf(live) : ({ metadata: {} } as KubeObject);
  return {
    ...(live?.status ? { status: live.status } : {}),
    ...rest,
    apiVersion: word(applied['apiVersion']),
    kind: word(applied['kind']),
    metadata: {
      ...keptOf(base),
      ...(metadata as JsonObject | undefined),
      managedFields: toManagedFields([entry, ...others]),
    } as KubeObject['metadata'],
  };
}

function keptOf({ metadata }: KubeObject): JsonObject {
  const { labels: _labels, annotations: _annotations, finalizers: _finalizers, ...kept } = metadata;
  return kept as unknown as JsonObject;
}

interface Conflict {
  entry: Entry;
  path: Path;
}

function conflictError(conflicts: readonly Conflict[]): StatusError {
  const causes = conflicts.map<Cause>(({ entry, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${whoOf(entry)}`,
    field: nameOf(path),
  }));
  const byManager = new Map<string, Cause[]>();
  for (const cause of causes) byManager.set(cause.message, [...(byManager.get(cause.message) ?? []), cause]);
  const [only] = causes;
  const told =
    causes.length === 1
      ? `${only!.message}: ${only!.field}`
      : [...byManager]
          .map(([message, those]) =>
            [message.replace('conflict', 'conflicts'), ...those.map(({ field }) => `- ${field}`)].join('\n'),
          )
          .join('\n');
  const noun = causes.length === 1 ? 'conflict' : 'conflicts';
  return new StatusError('Conflict', `Apply failed with ${causes.length} ${noun}: ${told}`, { causes });
}

function whoOf({ manager, operation, subresource, apiVersion, time }: Entry): string {
  // As Go quotes it, which is not JSON.
  const quoted = JSON.stringify(manager).replaceAll('\x7f', String.raw`\x7f`);
  const who = `${quoted}${subresource === undefined ? '' : ` with subresource "${subresource}"`}`;
  if (operation === 'Apply') return who;
  return `${who} using ${apiVersion}${time === undefined ? '' : ` at ${time}`}`;
}
