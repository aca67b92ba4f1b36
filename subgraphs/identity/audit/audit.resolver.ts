import {
  Arg,
  Args,
  Authorized,
  Ctx,
  FieldResolver,
  Int,
  Query,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql';

import type { StreamedEvent } from '#platform/outbox/event-stream.js';
import type { SubgraphContext } from '#platform/subgraph/build.js';
import { PageArgs, type Page } from '#platform/subgraph/paging.js';
import { JsonObject } from '#platform/subgraph/scalars.js';
import { eventSource } from '#platform/subgraph/subscription.js';
import type { AuditAppended } from '#schema/events.js';

import { mayKnowActor } from './audit-actor.js';
import { AuditEvent, AuditEventPage } from './audit-event.entity.js';
import { shownPersonal } from './audit-personal.js';
import type { AuditVerifications } from './audit-verification.service.js';
import { AuditEventRecordedArgs, AuditEventsArgs, AuditVerification, isLike } from './audit.inputs.js';
import type { AuditService } from './audit.service.js';

@Resolver(() => AuditEvent)
export class AuditResolver {
  constructor(
    private readonly audits: AuditService,
    private readonly verifications: AuditVerifications,
  ) {}

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
  @Query(() => AuditEvent, {
    description:
      "One entry of the tenant's audit trail, by its place, as `sequence` has it and `AuditVerification.brokenAt`. NOT_FOUND.",
  })
  async auditEvent(
    @Arg('sequence', () => Int, { description: 'Its place in the trail.' }) sequence: number,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<AuditEvent> {
    return this.audits.get(operation, sequence);
  }

  @Authorized('identity.audit.read')
  @Query(() => AuditVerification, {
    description:
      "Checks the tenant's whole audit trail: that no entry was altered, removed, added or moved since it was recorded. It " +
      'counts as 20 requests. Asked again while it is at work, it gives the answer of that check to all.',
  })
  async verifyAudit(@Ctx() { operation }: SubgraphContext): Promise<AuditVerification> {
    return this.verifications.verify(operation.database, operation.tenantId);
  }

  @FieldResolver(() => String, {
    nullable: true,
    description:
      'What the user or the API key that acted was called when the entry was added. Null for all others, for who was there no ' +
      'more by then, in entries that were added before this was kept, and, of people of another tenant, for all but owners. ' +
      'From 30 days after a user was removed, and once their tenant was erased, it is null in all their entries. `hash` covers ' +
      '`actor`, and not this.',
  })
  actorName(@Root() event: AuditEvent, @Ctx() { operation }: SubgraphContext): string | null {
    return mayKnowActor(operation.viewer, event) ? event.actorName : null;
  }

  @FieldResolver(() => String, {
    nullable: true,
    description:
      'The sign-in name that the user who acted had then; null where `actorName` is, and of an API key.',
  })
  actorEmail(@Root() event: AuditEvent, @Ctx() { operation }: SubgraphContext): string | null {
    return mayKnowActor(operation.viewer, event) ? event.actorEmail : null;
  }

  @FieldResolver(() => JsonObject, {
    description:
      'The addresses and names that `details` has words for (`personal:` and a hash), by these words. They are gone 30 days ' +
      'after the user whose they are was removed. The hash of a word is SHA-256 of a salt, `:` and the text.',
  })
  personal(@Root() event: AuditEvent): Record<string, unknown> {
    return shownPersonal(event);
  }

  @FieldResolver(() => AuditEventPage, {
    nullable: true,
    description:
      'The other entries of the tenant with the same `requestId`, newest first: what else the request caused, in all areas. ' +
      'What goes on in the background may come later. Null where work that comes again and again has made the entry.',
  })
  async sameRequest(
    @Root() event: AuditEvent,
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Page<AuditEvent> | null> {
    return this.audits.ofSameRequest(operation, event, args);
  }

  @Authorized('identity.audit.read')
  @Subscription(() => AuditEvent, {
    subscribe: eventSource<AuditEventRecordedArgs>('identity.audit.read', ({ filter }) => ({
      topics: ['identity.audit.appended'],
      matches: ({ payload }) => isLike(payload as unknown as AuditAppended, filter ?? {}),
    })),
    description:
      "An entry was added to the tenant's audit trail. Each is told once; of two that were added at the same time either " +
      'may come first, and `sequence` is their order. `extensions.cursor` of an event, given back as `extensions.after` ' +
      'within 24 hours, resumes after it.',
  })
  async auditEventRecorded(
    @Args(() => AuditEventRecordedArgs) _args: AuditEventRecordedArgs,
    @Root() { payload: { payload } }: StreamedEvent,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<AuditEvent> {
    return this.audits.get(operation, (payload as unknown as AuditAppended).sequence);
  }
}
