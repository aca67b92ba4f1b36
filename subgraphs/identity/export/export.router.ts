import { Router, type Response } from 'express';

import type { Operation } from '#platform/subgraph/operation.js';

import { panelsOwn } from '../msp/tenant-erasure.entity.js';
import type { TenantErasureService } from '../msp/tenant-erasure.service.js';
import type { IdentityPermission } from '../permissions.js';
import type { OperationFor } from '../raw-operation.js';
import { requirePermission } from '../raw-operation.js';
import { writeSlowly } from '../write-slowly.js';
import type { ExportPart } from './export-parts.service.js';
import type { OrganizationExports } from './organization-export.service.js';

interface Found {
  /** Whose rows they are. */
  tenantId: string;
  parts: AsyncGenerator<ExportPart, void>;
}

/**
 * GET /msp/exports/{id}: everything an erased client had, for its provider; GET /account/erased/{id} what a closed
 * organization had, for the panel's administrators; GET /account/exports/{id} what an organization has that lives, for its
 * owners. JSON lines of `{area, table, row}`, streamed. Passwords, tokens and other secrets are not in it. 404 until it is
 * complete, and when its time is over.
 */
export function createExportRouter(
  erasures: TenantErasureService,
  exports: OrganizationExports,
  operationFor: OperationFor,
): Router {
  const router = Router();
  const serve = (
    path: string,
    permission: IdentityPermission,
    find: (operation: Operation, id: string) => Promise<Found | undefined>,
  ) =>
    router.get(`${path}/:id`, async (request, response) => {
      const operation = await operationFor(request, response);
      if (!requirePermission(operation, permission, response, { isForPeople: true })) return;
      const found = await find(operation, request.params['id']!);
      if (found) await send(response, found);
      else response.status(404).json({ error: 'Export not found' });
    });
  const erased = async (operation: Operation, owner: string, id: string): Promise<Found | undefined> => {
    const erasure = await erasures.find(operation, owner, id);
    if (!erasure?.completedAt || !(await erasures.hasParts(operation, erasure))) return undefined;
    return { tenantId: erasure.clientId, parts: erasures.parts(operation, erasure) };
  };
  serve('/msp/exports', 'identity.msp.manage', async (operation, id) =>
    erased(operation, operation.tenantId, id),
  );
  serve('/account/erased', 'identity.tenant.list', async (operation, id) => erased(operation, panelsOwn, id));
  serve('/account/exports', 'identity.organization.export', async (operation, id) => {
    const found = await exports.complete(operation, id);
    return found && { tenantId: found.tenantId, parts: exports.parts(operation, found) };
  });
  return router;
}

async function send(response: Response, { tenantId, parts }: Found): Promise<void> {
  response.setHeader('Content-Type', 'application/x-ndjson; charset=utf-8');
  response.setHeader('Content-Disposition', `attachment; filename="${tenantId}.ndjson"`);
  response.setHeader('Cache-Control', 'no-store');
  for await (const { area, table, rows } of parts) {
    const lines = rows.map((row) => `${JSON.stringify({ area, table, row })}\n`);
    if (!(await writeSlowly(response, lines.join('')))) return;
  }
  response.end();
}
