import { Router, type Response } from 'express';

import type { TokenVerifier } from '#platform/auth/tokens.js';
import type { Viewer } from '#platform/viewer.js';

import { requirePermission, type OperationFor } from '../raw-operation.js';
import { writeSlowly } from '../write-slowly.js';
import { csvHeader, csvRow } from './audit-csv.js';
import type { AuditService } from './audit.service.js';

/** Of one tenant, by one process: each reads a whole trail. */
const exportsAtOnce = 2;

/**
 * GET /audit/export: the tenant's whole trail as CSV, oldest first, streamed. 429 while others of the tenant go on. The
 * connection breaks when whoever asked loses their access.
 */
export function createAuditExportRouter(
  audits: AuditService,
  operationFor: OperationFor,
  access: Pick<TokenVerifier, 'hasEnded'>,
): Router {
  const router = Router();
  const underWay = new Map<string, number>();
  router.get('/audit/export', async (request, response) => {
    const operation = await operationFor(request, response);
    if (!requirePermission(operation, 'identity.audit.read', response)) return;
    const { tenantId } = operation;
    const others = underWay.get(tenantId) ?? 0;
    if (others >= exportsAtOnce) {
      response.setHeader('Retry-After', '30');
      response.status(429).json({ error: 'The audit trail is being exported already; try again later' });
      return;
    }
    underWay.set(tenantId, others + 1);
    try {
      const viewer = operation.requireViewer();
      await send(response, audits.all(operation), viewer, () => !access.hasEnded(viewer));
    } finally {
      const left = (underWay.get(tenantId) ?? 1) - 1;
      if (left > 0) underWay.set(tenantId, left);
      else underWay.delete(tenantId);
    }
  });
  return router;
}

async function send(
  response: Response,
  trail: ReturnType<AuditService['all']>,
  reader: Viewer,
  mayGoOn: () => boolean,
): Promise<void> {
  response.setHeader('Content-Type', 'text/csv; charset=utf-8');
  response.setHeader('Content-Disposition', 'attachment; filename="audit.csv"');
  response.setHeader('Cache-Control', 'no-store');
  // Not before something was read: what fails at once is told by the status.
  let head = csvHeader;
  for await (const events of trail) {
    if (!mayGoOn()) {
      response.destroy();
      return;
    }
    if (!(await writeSlowly(response, head + events.map((event) => csvRow(event, reader)).join('')))) return;
    head = '';
  }
  response.end(head);
}
