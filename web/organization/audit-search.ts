import type { AuditCategory, AuditEventFilter } from '../generated/graphql.ts';
import { textOf } from '../parts/search.ts';

const texts = ['actor', 'action', 'target', 'requestId', 'category', 'from', 'to'] as const;

export interface AuditSearch {
  actor?: string;
  action?: string;
  target?: string;
  requestId?: string;
  category?: AuditCategory;
  /** Days by the reader's clocks, as `2026-11-24`; the last one is among them. */
  from?: string;
  to?: string;
}

/** The filter of the trail, in the address bar. What nobody can have chosen is left out. */
export function auditSearch(search: Record<string, unknown>): AuditSearch {
  const given = texts.flatMap((name) => {
    const value = textOf(search[name]);
    return value !== undefined && mayBe(name, value) ? [[name, value] as const] : [];
  });
  return Object.fromEntries(given);
}

function mayBe(name: (typeof texts)[number], value: string): boolean {
  if (name === 'category') return value === 'MUTATION' || value === 'SECURITY';
  return (name !== 'from' && name !== 'to') || isDay(value);
}

function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(beginOf(text).getTime());
}

export function auditFilter({ from, to, ...search }: AuditSearch): AuditEventFilter {
  return {
    ...search,
    ...(from === undefined ? {} : { from: beginOf(from).toISOString() }),
    ...(to === undefined ? {} : { to: beginOf(to, 1).toISOString() }),
  };
}

/** When a day begins by the reader's clocks, or one that many days after it. */
function beginOf(day: string, later = 0): Date {
  const begin = new Date(`${day}T00:00`);
  begin.setDate(begin.getDate() + later);
  return begin;
}
