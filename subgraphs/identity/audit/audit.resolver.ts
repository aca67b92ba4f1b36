import { Args, Authorized, Ctx, Query, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';
import type { Page } from '#platform/subgraph/paging.js';

import { AuditEventPage, type AuditEvent } from './audit-event.entity.js';
import { AuditEventsArgs, AuditVerification } from './audit.inputs.js';
import type { AuditService } from './audit.service.js';

@Resolver()
export class AuditResolver {
  constructor(private readonly audits: AuditService) {}

  @Authorized('identity.audit.read')
  @Query(() => AuditEventPage, {
    description:
      "The tenant's audit trail, newest first: every mutation and every security event of the last 365 days. An entry " +
      'appears within seconds of what it tells of. As CSV: GET /audit/export.',
  })
  async auditEvents(
    @Args(() => AuditEventsArgs) args: AuditEventsArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<AuditEvent>> {
    return this.audits.page(operation, args);
  }

  @Authorized('identity.audit.read')
  @Query(() => AuditVerification, {
    description:
      "Checks the tenant's whole audit trail: that no entry was altered, removed, added or moved since it was recorded.",
  })
  async verifyAudit(@Ctx() { operation }: SubgraphContext): Promise<AuditVerification> {
    return this.audits.verify(operation);
  }
}
