import type { Row } from './instance-rows.ts';
import type { InstanceSearch, SortKey } from './instance-search.ts';

const severity = { OFFLINE: 0, DEGRADED: 1, HEALTHY: 2 };
const collator = new Intl.Collator(undefined, { numeric: true });

const compare: Record<SortKey, (a: Row, b: Row) => number> = {
  name: (a, b) => collator.compare(a.name, b.name),
  status: (a, b) => severity[a.status] - severity[b.status],
  cpu: (a, b) => (a.cpuPercent ?? -1) - (b.cpuPercent ?? -1),
  memory: (a, b) => (a.memoryPercent ?? -1) - (b.memoryPercent ?? -1),
  version: (a, b) => collator.compare(a.version, b.version),
  seen: (a, b) => (a.lastSeen ?? '').localeCompare(b.lastSeen ?? ''),
};

/** The rows that the address asks for, in its order. */
export function chosen(rows: readonly Row[], { q, status, tag, sort, desc }: InstanceSearch): Row[] {
  const text = q?.toLowerCase();
  const matching = rows.filter(
    (row) =>
      (status === undefined || row.status === status) &&
      (tag === undefined || row.tags.includes(tag)) &&
      (text === undefined ||
        row.name.toLowerCase().includes(text) ||
        row.hostname.toLowerCase().includes(text)),
  );
  if (!sort) return matching;
  const by = compare[sort];
  return matching.sort((a, b) => (desc ? by(b, a) : by(a, b)));
}
