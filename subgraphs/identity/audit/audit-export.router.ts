import { Router } from 'express';

import { requirePermission, type OperationFor } from '../raw-operation.js';
import { writeSlowly } from '../write-slowly.js';
import { csvHeader, csvRow } from './audit-csv.js';
import type { AuditService } from './audit.service.js';

/** GET /audit/export: the tenant's whole trail as CSV, oldest first, streamed. */
export function createAuditExportRouter(audits: AuditService, operationFor: OperationFor): Router {
  const router = Router();
  router.get('/audit/export', async (request, response) => {
    const operation = await operationFor(request, response);
    if (!requirePermission(operation, 'identity.audit.read', response)) return;
    response.setHeader('Content-Type', 'text/csv; charset=utf-8');
    response.setHeader('Content-Disposition', 'attachment; filename="audit.csv"');
    response.setHeader('Cache-Control', 'no-store');
    // Not before something was read: what fails at once is told by the status.
    let head = csvHeader;
    for await (const events of audits.all(operation)) {
      if (!(await writeSlowly(response, head + events.map(csvRow).join('')))) return;
      head = '';
    }
    response.end(head);
  });
  return router;
}
