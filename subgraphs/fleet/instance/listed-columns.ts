import type { Database } from '#platform/database/database.js';

import { Instance } from './instance.entity.js';
import { statusAtSql, type InstanceStatus, type StatusFacts } from './instance.status.js';

/** What only the writers of an instance need of it, or what is long: no field shows it. */
const unlisted = [
  'publicKey',
  'credentialGeneration',
  'sequence',
  'otherSequence',
  'netRxBytes',
  'netTxBytes',
  'health',
  'facts',
  'factsReportedAt',
] as const satisfies readonly (keyof Instance)[];

/**
 * An instance as lists have it. Of the columns it has those that `columnsFor` found to be needed. Where times are only
 * shown they are text already, as `DateTime` shows them.
 */
export type ListedInstance = Omit<Instance, (typeof unlisted)[number]> & {
  /** Its status at the time of the read, where its reasons are not asked for. */
  statusNow?: InstanceStatus;
};

const statusColumns = [
  'enrolledAt',
  'lastSeenAt',
  'offlineAt',
  'stoppedAt',
  'announcedStatus',
  'reasons',
] as const satisfies readonly (keyof StatusFacts)[];

/** What fields are made of that are no columns themselves. For one that is neither every listed column is read. */
const madeOf: Readonly<Record<string, readonly (keyof ListedInstance)[]>> = {
  __typename: [],
  lastSeen: ['lastSeenAt'],
  tenant: ['tenantId'],
  facts: [],
  factsReportedAt: [],
  effectiveAlertRules: [],
  status: ['statusNow'],
  statusReasons: statusColumns,
};

/** By property: the column under the property's name. */
let listedColumns: ReadonlyMap<string, string> | undefined;

interface Columns {
  columns: string;
  /** Whether `statusAtSql` is among them, which takes a time. */
  hasStatus: boolean;
  times: 'dates' | 'text';
}

// An operation that is run again asks with the same set.
const knownColumns = new WeakMap<ReadonlySet<string>, Columns>();

/** Those that the fields are made of; all of them where nothing is known of the fields. */
export function columnsFor(fields: ReadonlySet<string>, database: Database): Columns {
  let columns = knownColumns.get(fields);
  if (!columns) knownColumns.set(fields, (columns = findColumns(fields, database)));
  return columns;
}

/** The columns that the fields are made of: reading all of them is most of what a long list costs. */
function findColumns(fields: ReadonlySet<string>, { orm }: Database): Columns {
  listedColumns ??= new Map(
    orm
      .getMetadata()
      .get(Instance)
      .props.filter(({ name }) => !unlisted.some((other) => other === name))
      .map(({ fieldNames, name }) => [name, `${fieldNames[0]} as "${name}"`]),
  );
  const needed = new Set<string>(['id']);
  for (const field of fields) {
    const parts = madeOf[field] ?? (listedColumns.has(field) ? [field] : undefined);
    if (!parts) return { columns: [...listedColumns.values()].join(', '), hasStatus: false, times: 'dates' };
    for (const part of parts) needed.add(part);
  }
  const hasReasons = fields.has('statusReasons');
  // The reasons come with the status that they are for.
  const hasStatus = needed.delete('statusNow') && !hasReasons;
  const columns = [...needed].map((property) => listedColumns!.get(property)!);
  if (hasStatus) columns.push(`${statusAtSql} as "statusNow"`);
  return { columns: columns.join(', '), hasStatus, times: hasReasons ? 'dates' : 'text' };
}

/** Where it is not known which fields are asked for. */
export const anyField: ReadonlySet<string> = new Set(['*']);
