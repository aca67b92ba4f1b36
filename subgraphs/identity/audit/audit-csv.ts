import type { Viewer } from '#platform/viewer.js';

import { mayKnowActor } from './audit-actor.js';
import type { AuditEvent } from './audit-event.entity.js';
import { shownPersonal } from './audit-personal.js';

type Reader = Viewer | undefined;

const columns: readonly [string, (event: AuditEvent, reader: Reader) => unknown][] = [
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
  ['actor_name', (event, reader) => (mayKnowActor(reader, event) ? event.actorName : null) ?? ''],
  ['actor_email', (event, reader) => (mayKnowActor(reader, event) ? event.actorEmail : null) ?? ''],
  ['actor_tenant_name', (event) => event.actorTenantName ?? ''],
  ['personal', (event) => JSON.stringify(shownPersonal(event))],
];

export const csvHeader = csvLine(columns.map(([name]) => name));

/** One line of the export (RFC 4180), as the reader may see it. */
export function csvRow(event: AuditEvent, reader: Reader): string {
  return csvLine(columns.map(([, valueOf]) => String(valueOf(event, reader))));
}

function csvLine(cells: readonly string[]): string {
  return `${cells.map(cell).join(',')}\r\n`;
}

// A spreadsheet runs a cell that starts like a formula (OWASP, CSV Injection); an apostrophe makes it text.
function cell(text: string): string {
  const safe = /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}
