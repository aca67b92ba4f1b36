import { BigIntType } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ObjectType, registerEnumType } from 'type-graphql';

import { DateTime } from '#platform/subgraph/scalars.js';

export enum TestClockStatus {
  READY = 'READY',
  ADVANCING = 'ADVANCING',
  INTERNAL_FAILURE = 'INTERNAL_FAILURE',
}

registerEnumType(TestClockStatus, {
  name: 'TestClockStatus',
  description: 'How a test clock stands.',
  valuesConfig: {
    READY: { description: 'It is where it was told to go, and goes on from there as any clock does.' },
    ADVANCING: { description: 'It is on its way. What is due on the way happens meanwhile.' },
    INTERNAL_FAILURE: { description: 'It stopped on its way; `failure` says why. It can be told to go on.' },
  },
});

const bigint = new BigIntType('number');

@Entity({ tableName: 'test_clock' })
@ObjectType({
  description:
    "A tenant's own time, in a panel that was started for demonstrations or tests: the machine's time, and as much more as " +
    'it was advanced. It never goes back.',
})
export class TestClock {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Property({ type: bigint })
  version!: number;

  @Property({ type: bigint })
  aheadMs!: number;

  /** As far as other areas know. */
  @Property({ type: bigint })
  toldMs!: number;

  @Field(() => TestClockStatus, { description: 'How it stands.' })
  @Property({ type: 'text' })
  status!: TestClockStatus;

  @Field(() => DateTime, {
    nullable: true,
    description: 'Where it was told to go last; null when it never was.',
  })
  @Property({ type: 'datetime', nullable: true })
  target!: Date | null;

  /** Where it is or was going last, whoever sent it there. */
  @Property({ type: 'datetime', nullable: true })
  wayTo!: Date | null;

  @Field(() => String, { nullable: true, description: 'Why it stopped on its way; null when it did not.' })
  @Property({ type: 'text', nullable: true })
  failure!: string | null;

  @Property({ type: 'text', nullable: true })
  stripeClockId!: string | null;

  @Property({ type: 'datetime', nullable: true })
  stripeTime!: Date | null;
}

/** Of a tenant whose time was never advanced. */
export function newTestClock(tenantId: string): TestClock {
  return Object.assign(new TestClock(), {
    tenantId,
    version: 0,
    aheadMs: 0,
    toldMs: 0,
    status: TestClockStatus.READY,
    target: null,
    wayTo: null,
    failure: null,
    stripeClockId: null,
    stripeTime: null,
  });
}

/** What time it is for the tenant, when it is `now` for the machine. */
export function timeOf({ aheadMs }: Pick<TestClock, 'aheadMs'>, now: Date): Date {
  return new Date(now.getTime() + aheadMs);
}
