import { Field, Int, ObjectType } from 'type-graphql';

@ObjectType({
  description:
    'How a client fares, in figures of the last seconds. Which instances and alerts they are of is seen only by whoever it ' +
    'lets act in it.',
})
export class MspClientHealth {
  @Field(() => Int, { description: 'Instances that beat with nothing wrong.' })
  healthy!: number;

  @Field(() => Int, { description: 'Instances that beat with something named wrong.' })
  degraded!: number;

  @Field(() => Int, { description: 'Instances that have never beaten or have stopped.' })
  offline!: number;

  @Field(() => Int, { description: 'Critical alerts that fire and that nobody has acknowledged.' })
  criticalAlerts!: number;

  @Field(() => Int, { description: 'Warnings that fire and that nobody has acknowledged.' })
  warningAlerts!: number;

  @Field(() => Int, { description: 'Alerts for information that fire and that nobody has acknowledged.' })
  infoAlerts!: number;

  @Field(() => Int, {
    nullable: true,
    description: 'How far its policies hold, 0 to 100; null when nothing is known, as without policies.',
  })
  overallScore!: number | null;

  @Field(() => Boolean, {
    description: 'Whether an instance is offline, or a critical alert fires that nobody has acknowledged.',
  })
  needsAttention!: boolean;
}
