import { Field, ID, InputType } from 'type-graphql';

import { AlertRuleKind, AlertSeverity, AlertStatus } from './alert.kinds.js';

@InputType({ description: 'Narrows a list of alerts; what is left out does not narrow, but for the status.' })
export class AlertFilter {
  @Field(() => AlertStatus, {
    nullable: true,
    description: 'Only alerts in this status; the active ones (FIRING and ACKNOWLEDGED) unless told.',
  })
  status?: AlertStatus | null;

  @Field(() => AlertSeverity, { nullable: true, description: 'Only alerts of this severity.' })
  severity?: AlertSeverity | null;

  @Field(() => ID, { nullable: true, description: 'Only alerts of this instance.' })
  instanceId?: string | null;

  @Field(() => AlertRuleKind, { nullable: true, description: 'Only alerts of this rule.' })
  rule?: AlertRuleKind | null;
}
