import type { Marks } from '../driver.js';

const kinds = { panel: 'qzr-panel', tenant: 'qzr-tenant', server: 'qzr-server' } as const;

export const serverTag = ({ server }: Pick<Marks, 'server'>): string => `${kinds.server}:${server}`;
export const tenantTag = ({ tenant }: Pick<Marks, 'tenant'>): string => `${kinds.tenant}:${tenant}`;

/** Marks as tags: letters, digits, colons, dashes and underscores. */
export function tagsOf(marks: Marks): string[] {
  return [`${kinds.panel}:${marks.panel}`, tenantTag(marks), serverTag(marks)];
}

export function marksIn(tags: readonly string[]): Marks | null {
  const value = (kind: string) => tags.find((tag) => tag.startsWith(`${kind}:`))?.slice(kind.length + 1);
  const [panel, tenant, server] = [value(kinds.panel), value(kinds.tenant), value(kinds.server)];
  return panel !== undefined && tenant !== undefined && server !== undefined
    ? { panel, tenant, server }
    : null;
}
