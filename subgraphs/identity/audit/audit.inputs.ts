import { ArgsType, Field, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';

import { PageArgs } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';
import type { AuditAppended } from '#schema/events.js';

import { AuditCategory } from './audit-event.entity.js';

@InputType({ description: 'Which entries of the audit trail to list; all conditions given must hold.' })
export class AuditEventFilter {
  @Field(() => String, { nullable: true, description: 'Only what this user, node, API key or service did.' })
  actor?: string | null;

  @Field(() => String, { nullable: true, description: 'Only this mutation or security event.' })
  action?: string | null;

  @Field(() => String, { nullable: true, description: 'Only what was done to the thing with this id.' })
  target?: string | null;

  @Field(() => AuditCategory, { nullable: true, description: 'Only entries that come from there.' })
  category?: AuditCategory | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Only what the request with this `X-Request-Id` caused, in all areas; `requestId` of an entry says how far that reaches.',
  })
  requestId?: string | null;

  @Field(() => DateTime, { nullable: true, description: 'Only what happened at or after this moment.' })
  from?: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'Only what happened before this moment.' })
  to?: Date | null;
}

@ArgsType()
export class AuditEventsArgs extends PageArgs {
  @Field(() => AuditEventFilter, { nullable: true, description: 'Which entries; all unless told.' })
  filter?: AuditEventFilter | null;
}

@ArgsType()
export class AuditEventRecordedArgs {
  @Field(() => AuditEventFilter, { nullable: true, description: 'Which entries; all unless told.' })
  filter?: AuditEventFilter | null;
}

/** Whether an entry is one of those; what is left out does not narrow. */
export function isLike(
  { action, actor, target, category, requestId, occurredAt }: AuditAppended,
  filter: AuditEventFilter,
): boolean {
  const at = new Date(occurredAt);
  return (
    (filter.action == null || filter.action === action) &&
    (filter.actor == null || filter.actor === actor) &&
    (filter.target == null || filter.target === target) &&
    (filter.category == null || filter.category === category) &&
    (filter.requestId == null || filter.requestId === requestId) &&
    (filter.from == null || at >= filter.from) &&
    (filter.to == null || at < filter.to)
  );
}

export enum AuditProblem {
  ROW_ALTERED = 'ROW_ALTERED',
  ROW_MISSING = 'ROW_MISSING',
  ROW_ADDED = 'ROW_ADDED',
  LINK_BROKEN = 'LINK_BROKEN',
  END_MISSING = 'END_MISSING',
  HEAD_ALTERED = 'HEAD_ALTERED',
  HEAD_MISSING = 'HEAD_MISSING',
}

registerEnumType(AuditProblem, {
  name: 'AuditProblem',
  description: 'What is wrong with an audit trail, at the first place where something is.',
  valuesConfig: {
    ROW_ALTERED: { description: 'The entry is not what was recorded: its hash does not fit it.' },
    ROW_MISSING: { description: 'The entry is gone, while later ones are there.' },
    ROW_ADDED: { description: 'The entry was put behind the end that was recorded.' },
    LINK_BROKEN: {
      description:
        'The entry does not follow from the one before it: that one was replaced, or the two changed places.',
    },
    END_MISSING: { description: 'The entry and all after it are gone.' },
    HEAD_ALTERED: { description: 'The record of where the trail ends is not what the panel sealed.' },
    HEAD_MISSING: {
      description: 'The record of where the trail ends is gone, or was lost or altered at some time.',
    },
  },
});

@ObjectType({ description: "The answer to a check of the tenant's whole audit trail." })
export class AuditVerification {
  @Field(() => Boolean, { description: 'Whether every entry is there, in its place, as it was recorded.' })
  isIntact!: boolean;

  @Field(() => Int, { description: 'How many entries were checked, up to the first that is wrong.' })
  checked!: number;

  @Field(() => Int, {
    nullable: true,
    description: 'The `sequence` of the first entry that is wrong or missing; null when intact.',
  })
  brokenAt!: number | null;

  @Field(() => AuditProblem, { nullable: true, description: 'What is wrong there; null when intact.' })
  problem!: AuditProblem | null;

  @Field(() => String, {
    description:
      'The hash of the last entry: kept elsewhere, it proves later that nothing up to here was changed.',
  })
  headHash!: string;
}
