import { BigIntType } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime, JsonObject } from '#platform/subgraph/scalars.js';

import type { PersonalText } from './audit-personal.js';

export enum AuditCategory {
  MUTATION = 'MUTATION',
  SECURITY = 'SECURITY',
}

registerEnumType(AuditCategory, {
  name: 'AuditCategory',
  description: 'Where an entry of the audit trail comes from.',
  valuesConfig: {
    MUTATION: { description: 'A mutation that succeeded.' },
    SECURITY: { description: 'A security event: a failed sign-in, a token used twice, delegated access.' },
  },
});

/**
 * One link of a tenant's chain. Rows are added and never changed, but that who acted is forgotten; only retention removes
 * them, oldest first.
 */
@Entity({ tableName: 'audit_event' })
@ObjectType({
  description: "One entry of the tenant's audit trail: who did what, to what, from where, and when.",
})
export class AuditEvent {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => Int, { description: 'Its place in the trail: from 1, without gaps.' })
  @PrimaryKey({ type: new BigIntType('number') })
  sequence!: number;

  @Field(() => ID, { name: 'id', description: 'Starts with `evt_`.' })
  @Property({ type: 'text' })
  eventId!: string;

  @Field(() => AuditCategory, { description: 'Where the entry comes from.' })
  @Property({ type: 'text' })
  category!: AuditCategory;

  @Field(() => String, {
    description: 'The name of the mutation, or of the security event (OWASP Logging Vocabulary).',
  })
  @Property({ type: 'text' })
  action!: string;

  @Field(() => String, {
    description:
      'Who acted: the id of a user, a node or an API key, `svc:...` for an area of the panel, `operator` for who runs its ' +
      'machine, or `anonymous`.',
  })
  @Property({ type: 'text' })
  actor!: string;

  @Field(() => String, {
    description:
      '`user`, `delegate` (a user of the managing tenant, under a grant), `api-key`, `node`, `service`, ' +
      '`operator` or `anonymous`.',
  })
  @Property({ type: 'text' })
  actorKind!: string;

  @Property({ type: 'text', nullable: true })
  actorName!: string | null;

  @Property({ type: 'text', nullable: true })
  actorEmail!: string | null;

  /** Where the user who acted was of another tenant. */
  @Property({ type: 'text', nullable: true })
  actorTenantId!: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'What the tenant of the user who acted was called then, where that is another: a provider, or who runs the panel. Null ' +
      "for the tenant's own, in entries that were added before this was kept, and once that tenant was erased.",
  })
  @Property({ type: 'text', nullable: true })
  actorTenantName!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The id of the thing it was done to; null where there is none.',
  })
  @Property({ type: 'text', nullable: true })
  target!: string | null;

  @Field(() => String, { description: 'The network address that the request came from.' })
  @Property({ type: 'text' })
  clientAddress!: string;

  @Field(() => String, {
    description:
      'The `X-Request-Id` of the request that it came of, as in the logs. All that areas do about a request has its id: what ' +
      'follows from its events, its jobs, and what one area asks of another for it. What waits for its time has that of the ' +
      'sweep that has it done (`sweep:canary.due`): steps of a canary after its first, automatic remedies. What nodes do, ' +
      'enrolling too, they do by requests of their own. Requests that a client gives the same id count as one.',
  })
  @Property({ type: 'text' })
  requestId!: string;

  @Field(() => JsonObject, {
    description:
      'The input without its secrets, what was changed, and for a delegate the grant and its own tenant. Users of the tenant are ' +
      'in it by their ids in the place of their addresses, and other addresses, and the name that somebody gave themselves, by ' +
      'words that `personal` tells the meaning of.',
  })
  @Property({ type: 'json' })
  details!: Record<string, unknown>;

  @Property({ type: 'json', nullable: true })
  personal!: PersonalText[] | null;

  @Field(() => DateTime, { description: 'When it happened.' })
  @Property({ type: 'datetime' })
  occurredAt!: Date;

  @Field(() => DateTime, {
    description: 'When it was added to the trail; it is kept for 365 days from then.',
  })
  @Property({ type: 'datetime' })
  recordedAt!: Date;

  @Field(() => String, { description: 'The hash of the entry before it; empty for the first.' })
  @Property({ type: 'text' })
  previousHash!: string;

  @Field(() => String, {
    description: 'SHA-256 over the canonical JSON (RFC 8785) of the entry and `previousHash`, in hex.',
  })
  @Property({ type: 'text' })
  hash!: string;
}

@ObjectType({ description: 'One page of the audit trail.' })
export class AuditEventPage extends pageOf(AuditEvent, 'AuditEvent') {}
