import type { AuditEvent } from './audit-event.entity.js';

const columns: readonly [string, (event: AuditEvent) => unknown][] = [
  ['sequence', (event) => event.sequence],
  ['id', (event) => event.eventId],
  ['occurred_at', (event) => event.occurredAt.toISOString()],
  ['recorded_at', (event) => event.recordedAt.toISOString()],
  ['category', (event) => event.category],
  ['action', (event) => event.action],
  ['actor', (event) => event.actor],
  ['actor_kind', (event) => event.actorKind],
  ['target', (event) => event.target ?? ''],
  ['client_address', (event) => event.clientAddress],
  ['request_id', (event) => event.requestId],
  ['details', (event) => JSON.stringify(event.details)],
  ['previous_hash', (event) => event.previousHash],
  ['hash', (event) => event.hash],
];

export const csvHeader = csvLine(columns.map(([name]) => name));

/** One line of the export (RFC 4180). */
export function csvRow(event: AuditEvent): string {
  return csvLine(columns.map(([, valueOf]) => String(valueOf(event))));
}

function csvLine(cells: readonly string[]): string {
  return `${cells.map(cell).join(',')}\r\n`;
}

// A spreadsheet runs a cell that starts like a formula (OWASP, CSV Injection); an apostrophe makes it text.
function cell(text: string): string {
  const safe = /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}
