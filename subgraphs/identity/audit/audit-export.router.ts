import { Router } from 'express';

import type { ErrorCode } from '#platform/errors.js';
import { ApiError } from '#platform/errors.js';
import type { RequestContext } from '#platform/request-context.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { csvHeader, csvRow } from './audit-csv.js';
import type { AuditService } from './audit.service.js';

export interface AuditExportOptions {
  audits: AuditService;
  /** The operation of whoever sent the request. */
  operationFor: (request: RequestContext) => Promise<Operation>;
}

const statuses: Partial<Record<ErrorCode, number>> = { UNAUTHENTICATED: 401, FORBIDDEN: 403 };

/** GET /audit/export: the tenant's whole trail as CSV, oldest first, streamed. */
export function createAuditExportRouter({ audits, operationFor }: AuditExportOptions): Router {
  const router = Router();
  router.get('/audit/export', async (request, response) => {
    const known = response.locals['requestContext'] as RequestContext | undefined;
    const authorization = request.header('authorization');
    const operation = await operationFor(
      known ?? {
        requestId: request.header('x-request-id') ?? '',
        clientAddress: request.header('x-forwarded-for') ?? '',
        ...(authorization === undefined ? {} : { authorization }),
      },
    );
    try {
      operation.require('identity.audit.read');
    } catch (error) {
      const status = error instanceof ApiError ? (statuses[error.code] ?? 500) : 500;
      response.status(status).json({ error: error instanceof ApiError ? error.message : 'Internal error' });
      return;
    }
    response.setHeader('Content-Type', 'text/csv; charset=utf-8');
    response.setHeader('Content-Disposition', 'attachment; filename="audit.csv"');
    response.setHeader('Cache-Control', 'no-store');
    response.write(csvHeader);
    for await (const events of audits.all(operation)) {
      if (response.destroyed) return;
      const isRoomLeft = response.write(events.map(csvRow).join(''));
      if (!isRoomLeft) await drained(response);
    }
    response.end();
  });
  return router;
}

/** A slow reader holds up the reading of rows, not the memory of the panel. */
async function drained(response: NodeJS.EventEmitter): Promise<void> {
  await new Promise<void>((resolve) => {
    response.once('drain', resolve);
    response.once('close', resolve);
  });
}
