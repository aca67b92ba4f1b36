import { Field, ID, InputType } from 'type-graphql';
import { z } from 'zod';

import { DateTime } from '#platform/subgraph/scalars.js';

import { AlertRuleKind, AlertSeverity, AlertStatus } from './alert.kinds.js';

@InputType({ description: 'Narrows a list of alerts; what is left out does not narrow, but for the status.' })
export class AlertFilter {
  @Field(() => AlertStatus, {
    nullable: true,
    description: 'Only alerts in this status; the active ones (FIRING and ACKNOWLEDGED) unless told.',
  })
  status?: AlertStatus | null;

  @Field(() => [AlertStatus], {
    nullable: true,
    description: 'Instead of one status: only alerts in one of these; in any when it is empty.',
  })
  statuses?: AlertStatus[] | null;

  @Field(() => AlertSeverity, { nullable: true, description: 'Only alerts of this severity.' })
  severity?: AlertSeverity | null;

  @Field(() => ID, { nullable: true, description: 'Only alerts of this instance.' })
  instanceId?: string | null;

  @Field(() => AlertRuleKind, { nullable: true, description: 'Only alerts of this rule.' })
  rule?: AlertRuleKind | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'Only alerts of which anything changed at or after it, as `updatedAt` has it.',
  })
  updatedSince?: Date | null;
}

/** The most that are acknowledged by one call. */
export const mostAcknowledged = 500;

@InputType({ description: 'Alerts that are taken up together: by their ids, or all that are like this.' })
export class AcknowledgeAlertsInput {
  @Field(() => [ID], { nullable: true, description: 'These, 1 to 500. Without them a filter is needed.' })
  ids?: string[] | null;

  @Field(() => AlertFilter, {
    nullable: true,
    description:
      'Or those that fire and are like this, the newest 500 of them. An empty one is all that fire.',
  })
  filter?: AlertFilter | null;

  @Field(() => String, {
    nullable: true,
    description: 'What others are to read beside the acknowledgement, at most 500 characters.',
  })
  comment?: string | null;
}

export const acknowledgeAlertsRules = z
  .object({
    ids: z
      .array(z.string())
      .min(1, 'Name at least one alert')
      .max(mostAcknowledged, `At most ${mostAcknowledged} alerts`)
      .nullish(),
    filter: z
      .object({
        status: z.enum(AlertStatus).nullish(),
        statuses: z.array(z.enum(AlertStatus)).nullish(),
        severity: z.enum(AlertSeverity).nullish(),
        instanceId: z.string().nullish(),
        rule: z.enum(AlertRuleKind).nullish(),
        updatedSince: z.date().nullish(),
      })
      .nullish(),
    comment: z.string().trim().max(500, 'Comment must have at most 500 characters').nullish(),
  })
  .superRefine(({ ids, filter }, context) => {
    if (Boolean(ids) !== Boolean(filter)) return;
    context.addIssue({ code: 'custom', path: ['ids'], message: 'Name either alerts or what they are like' });
  });
