import { oneOf, textOf, withoutEmpty } from '../parts/search.ts';

export const statuses = ['HEALTHY', 'DEGRADED', 'OFFLINE'] as const;
export const sorts = ['name', 'status', 'cpu', 'memory', 'version', 'seen'] as const;

export type SortKey = (typeof sorts)[number];

/** What the address says of the list. Whatever is not understood is left out. */
export interface InstanceSearch {
  q?: string;
  status?: (typeof statuses)[number];
  tag?: string;
  sort?: SortKey;
  desc?: boolean;
}

export function instanceSearch(given: Record<string, unknown>): InstanceSearch {
  return withoutEmpty({
    q: textOf(given['q']),
    status: oneOf(statuses, given['status']),
    tag: textOf(given['tag']),
    sort: oneOf(sorts, given['sort']),
    desc: given['desc'] === true,
  });
}

export const ranges = ['1h', '6h', '24h', '7d', '30d', '3mo'] as const;
export type Range = (typeof ranges)[number];

export function rangeSearch(given: Record<string, unknown>): { range?: Range } {
  const range = ranges.find((one) => one === given['range']);
  return range ? { range } : {};
}
