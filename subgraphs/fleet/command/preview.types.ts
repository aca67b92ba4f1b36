import { ArgsType, Directive, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';

import { PageArgs, pageOf } from '#platform/subgraph/paging.js';
import { DateTime, Json } from '#platform/subgraph/scalars.js';

import { foreseenDays, type HoldingWindow } from '../maintenance/window.rules.js';
import { TenantReference } from '../tenant/tenant.reference.js';

export enum CommandAdmission {
  ADMITTED = 'ADMITTED',
  REFUSED = 'REFUSED',
  UNKNOWN = 'UNKNOWN',
}

registerEnumType(CommandAdmission, {
  name: 'CommandAdmission',
  description: 'Whether mandatory policies let a command be sent.',
  valuesConfig: {
    ADMITTED: { description: 'None has anything against it.' },
    REFUSED: {
      description:
        'On one instance at least one does not hold: `sendCommand` answers CONFLICT, for all of them.',
    },
    UNKNOWN: {
      description:
        'There are mandatory policies, and they cannot be asked just now: `sendCommand` answers UNAVAILABLE until they can.',
    },
  },
});

@ObjectType({ description: 'A mandatory policy that does not let a command be done on an instance.' })
export class CommandRefusal {
  @Field(() => ID, { description: 'The policy.' })
  policyId!: string;

  @Field(() => String, { description: 'Its name.' })
  policyName!: string;

  @Field(() => String, { nullable: true, description: 'What to do about it, as the policy says.' })
  resolution!: string | null;

  @Field(() => ID, { description: 'The instance.' })
  instanceId!: string;

  @Field(() => String, { description: 'The fact that decided: one of `factKinds`.' })
  condition!: string;

  @Field(() => String, { description: 'How it is compared.' })
  operator!: string;

  @Field(() => Json, { nullable: true, description: 'What it would have to be.' })
  expected!: unknown;

  @Field(() => Json, { nullable: true, description: 'What it is, or would be once the command is done.' })
  actual!: unknown;
}

@ObjectType({ description: 'A mandatory policy that refuses a command, and on how many instances.' })
export class RefusingPolicy {
  @Field(() => ID, { description: 'The policy.' })
  policyId!: string;

  @Field(() => String, { description: 'Its name.' })
  policyName!: string;

  @Field(() => String, { nullable: true, description: 'What to do about it, as the policy says.' })
  resolution!: string | null;

  @Field(() => Int, { description: 'On how many instances it does.' })
  count!: number;

  @Field(() => [CommandRefusal], {
    description:
      'Where it does, and what decided: the first 20, in the order of `instances`; `count` is of all. To an API key that ' +
      'may not read policies only the one is told that `sendCommand` would tell.',
  })
  refusals!: readonly CommandRefusal[];
}

@ObjectType({ description: 'Maintenance windows that hold a command back on some of its instances.' })
export class CommandDelay {
  /** By a resolver of its own. */
  windows!: readonly HoldingWindow[];

  @Field(() => DateTime, {
    nullable: true,
    description: `When they let it begin, as they are now; null when not within ${foreseenDays} days.`,
  })
  until!: Date | null;

  @Field(() => Boolean, {
    description: 'Whether it expires before that: sent now, it would not be done there at all.',
  })
  expiresBefore!: boolean;

  @Field(() => Int, { description: 'On how many of the instances.' })
  count!: number;
}

/** governance's Canary, by its key. */
@ObjectType('Canary')
@Directive('@key(fields: "id", resolvable: false)')
export class CanaryReference {
  @Field(() => ID, { description: 'Starts with `can_`.' })
  id!: string;
}

@ObjectType({ description: 'A canary under way that some of the instances of a command are in.' })
export class CommandCanary {
  @Field(() => ID, { description: 'The canary.' })
  canaryId!: string;

  @Field(() => CanaryReference, {
    nullable: true,
    description: 'The canary; null, with an error, without the right to see canaries.',
  })
  canary!: CanaryReference;

  @Field(() => Int, { description: 'How many of the instances are in it.' })
  count!: number;
}

@ObjectType({ description: 'An instance that a command would be for.' })
export class CommandTarget {
  /** For the cursor of its page. */
  id!: string;

  @Field(() => ID, { description: 'The instance.' })
  instanceId!: string;

  @Field(() => Boolean, {
    description: 'Whether it is offline now: it gets the command if it is back in time.',
  })
  isOffline!: boolean;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Whether a mandatory policy refuses it there; null while that cannot be asked, and to an API key that may not read ' +
      'policies.',
  })
  isRefused!: boolean | null;

  @Field(() => CommandDelay, {
    nullable: true,
    description: 'What holds it back there; null when nothing does.',
  })
  delay!: CommandDelay | null;
}

@ObjectType({ description: 'One page of instances that a command would be for.' })
export class CommandTargetPage extends pageOf(CommandTarget, 'CommandTarget') {}

@InputType({ description: 'Narrows the instances of a preview; what is left out does not narrow.' })
export class CommandTargetFilter {
  @Field(() => Boolean, { nullable: true, description: 'Only those that are offline, or only the others.' })
  isOffline?: boolean | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Only those on which a mandatory policy refuses it, or only the others.',
  })
  isRefused?: boolean | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Only those on which windows hold it back, or only the others.',
  })
  isDelayed?: boolean | null;
}

@ArgsType()
export class CommandTargetsArgs extends PageArgs {
  @Field(() => CommandTargetFilter, { nullable: true, description: 'Narrows the list.' })
  filter?: CommandTargetFilter | null;
}

@ObjectType({ description: 'What would become of a command if it were sent now. Nothing is kept of it.' })
export class CommandPreview {
  @Field(() => Int, { description: 'How many instances it would be for.' })
  total!: number;

  @Field(() => Int, { description: 'How many of them are offline now.' })
  offline!: number;

  @Field(() => Int, { description: 'On how many of them windows hold it back now.' })
  delayed!: number;

  @Field(() => Int, {
    nullable: true,
    description:
      'On how many of them a mandatory policy refuses it; null while that cannot be asked, and to an API key that may not ' +
      'read policies.',
  })
  refused!: number | null;

  @Field(() => CommandAdmission, { description: 'Whether mandatory policies let it be sent.' })
  admission!: CommandAdmission;

  @Field(() => [RefusingPolicy], {
    description:
      'The policies that refuse it, those first that do so on the most instances. To an API key that may not read ' +
      'policies only the one is named that `sendCommand` would name.',
  })
  policies!: readonly RefusingPolicy[];

  @Field(() => [CommandRefusal], {
    description:
      'Which policy refuses it where, and what decided: the first 100, in the order of `instances`. To an API key that ' +
      'may not read policies only the first is told, as by `sendCommand`.',
  })
  refusals!: readonly CommandRefusal[];

  @Field(() => [CommandDelay], {
    description:
      'Which windows hold it back and until when, those first that do so on the most instances; at most 100.',
  })
  delays!: readonly CommandDelay[];

  /** By a resolver of its own. */
  canaries!: readonly CommandCanary[] | null;

  @Field(() => DateTime, { description: 'No instance would take it up after this.' })
  expiresAt!: Date;

  @Field(() => TenantReference, {
    description:
      'Whose instances they are. Without the right to see it the whole preview is null, with an error: leave it out then.',
  })
  tenant!: TenantReference;

  /** All, in the order in which they would get it: no field. */
  targets!: readonly CommandTarget[];
}
