import type { Router } from 'express';

import type { TokenVerifier } from '#platform/auth/tokens.js';
import type { Clock } from '#platform/clock.js';
import type { Database, EntityClass } from '#platform/database/database.js';
import type { Sweep } from '#platform/membership/sweep.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import type { RequestContext } from '#platform/request-context.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import { identify } from '#platform/subgraph/build.js';
import { Operation } from '#platform/subgraph/operation.js';

import { AuditEvent } from './audit/audit-event.entity.js';
import { createAuditExportRouter } from './audit/audit-export.router.js';
import { auditConsumer, auditRetentionSweep } from './audit/audit.job.js';
import { AuditResolver } from './audit/audit.resolver.js';
import { AuditService } from './audit/audit.service.js';
import { identityPermissions } from './permissions.js';

export const tenancyEntities: readonly EntityClass[] = [AuditEvent];

export interface TenancyOptions {
  database: Database;
  clock: Clock;
  keyring: Keyring;
}

/** The part of identity that is about tenants: who belongs to them, who acts for them, and the proof of it. */
export interface Tenancy {
  resolvers: readonly object[];
  consumers: readonly Consumer[];
  sweeps: readonly Sweep[];
  routers: readonly Router[];
  /** Says who verifies the tokens of requests to the routers; called once, before the first of them. */
  verifyBy(verifier: TokenVerifier): void;
}

export function createTenancy({ database, clock, keyring }: TenancyOptions): Tenancy {
  const audits = new AuditService(keyring);
  let verifier: TokenVerifier | undefined;
  const operationFor = async (request: RequestContext): Promise<Operation> => {
    if (!verifier) throw new Error('the subgraph is not built yet');
    const permissions = identityPermissions;
    return new Operation({
      request,
      database,
      clock,
      permissions,
      ...(await identify(verifier, request.authorization)),
    });
  };
  return {
    verifyBy: (given) => {
      verifier = given;
    },
    resolvers: [new AuditResolver(audits)],
    consumers: [auditConsumer(keyring)],
    sweeps: [auditRetentionSweep(keyring)],
    routers: [createAuditExportRouter({ audits, operationFor })],
  };
}
