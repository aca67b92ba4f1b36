export interface AuditSearch {
  actor?: string;
  action?: string;
  target?: string;
}

/** The filter of the trail, in the address bar. */
export function auditSearch(search: Record<string, unknown>): AuditSearch {
  const given = (['actor', 'action', 'target'] as const).flatMap((name) => {
    const value = search[name];
    return typeof value === 'string' && value !== '' ? [[name, value] as const] : [];
  });
  return Object.fromEntries(given);
}
