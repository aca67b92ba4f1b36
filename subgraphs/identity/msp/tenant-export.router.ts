import { Router } from 'express';

import type { OperationFor } from '../raw-operation.js';
import { requirePermission } from '../raw-operation.js';
import { writeSlowly } from '../write-slowly.js';
import type { TenantErasureService } from './tenant-erasure.service.js';

/**
 * GET /msp/exports/{id}: everything an erased client had, as JSON lines of `{area, table, row}`, streamed. Passwords,
 * tokens and other secrets are not in it. 404 until it is complete, and when its 30 days are over.
 */
export function createTenantExportRouter(erasures: TenantErasureService, operationFor: OperationFor): Router {
  const router = Router();
  router.get('/msp/exports/:id', async (request, response) => {
    const operation = await operationFor(request, response);
    if (!requirePermission(operation, 'identity.msp.manage', response)) return;
    const erasure = await erasures.find(operation, request.params.id);
    if (!erasure?.completedAt || !(await erasures.hasParts(operation, erasure.id))) {
      response.status(404).json({ error: 'Export not found' });
      return;
    }
    response.setHeader('Content-Type', 'application/x-ndjson; charset=utf-8');
    response.setHeader('Content-Disposition', `attachment; filename="${erasure.clientId}.ndjson"`);
    response.setHeader('Cache-Control', 'no-store');
    for await (const { area, table, rows } of erasures.parts(operation, erasure.id)) {
      const lines = rows.map((row) => `${JSON.stringify({ area, table, row })}\n`);
      if (!(await writeSlowly(response, lines.join('')))) return;
    }
    response.end();
  });
  return router;
}
