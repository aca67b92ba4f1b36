import { Router, type Response } from 'express';

import type { TokenVerifier } from '#platform/auth/tokens.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { panelsOwn } from '../msp/tenant-erasure.entity.js';
import { keepExportMs } from '../msp/tenant-erasure.job.js';
import type { TenantErasureService } from '../msp/tenant-erasure.service.js';
import type { IdentityPermission } from '../permissions.js';
import type { OperationFor } from '../raw-operation.js';
import { requirePermission } from '../raw-operation.js';
import { writeSlowly } from '../write-slowly.js';
import { ForgottenExport, type ExportPart } from './export-parts.service.js';
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
 * complete, and when its time is over. The connection breaks where that is while it is sent, so that nothing looks whole
 * which is not, and when whoever asked loses their access.
 */
export function createExportRouter(
  erasures: TenantErasureService,
  exports: OrganizationExports,
  operationFor: OperationFor,
  access: Pick<TokenVerifier, 'hasEnded'>,
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
      const viewer = operation.requireViewer();
      if (found) await send(response, found, () => !access.hasEnded(viewer));
      else response.status(404).json({ error: 'Export not found' });
    });
  const erased = async (operation: Operation, owner: string, id: string): Promise<Found | undefined> => {
    const erasure = await erasures.find(operation, owner, id);
    if (
      !erasure?.completedAt ||
      isOver(erasure.completedAt, operation) ||
      !(await erasures.hasParts(operation, erasure))
    )
      return undefined;
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

/** From then on its parts are forgotten one after the other. */
function isOver(completedAt: Date, { clock }: Operation): boolean {
  return completedAt.getTime() + keepExportMs <= clock.now().getTime();
}

async function send(response: Response, { tenantId, parts }: Found, mayGoOn: () => boolean): Promise<void> {
  response.setHeader('Content-Type', 'application/x-ndjson; charset=utf-8');
  response.setHeader('Content-Disposition', `attachment; filename="${tenantId}.ndjson"`);
  response.setHeader('Cache-Control', 'no-store');
  try {
    for await (const { area, table, rows } of parts) {
      if (!mayGoOn()) return void response.destroy();
      const lines = rows.map((row) => `${JSON.stringify({ area, table, row })}\n`);
      if (!(await writeSlowly(response, lines.join('')))) return;
    }
  } catch (error) {
    if (!(error instanceof ForgottenExport)) throw error;
    return void response.destroy();
  }
  response.end();
}
