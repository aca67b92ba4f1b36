import { Field, InputType, Int, ObjectType } from 'type-graphql';

import { DateTime, Json } from '#platform/subgraph/scalars.js';

import { NodeCommand } from '../command/node-command.js';
import { InputWarning, unknownFieldsDescription } from '../reported/input-warning.js';
import { Measurement, ReportedText, ReportedTime } from '../reported/reported.scalars.js';

@InputType({
  description: 'How a node finds one of its own components. Without a name or a status it is left out.',
})
export class ComponentHealth {
  @Field(() => ReportedText, {
    nullable: true,
    description: 'The component: `backup`, `proxy`, ...; at most 100 characters.',
  })
  component?: unknown;

  @Field(() => ReportedText, {
    nullable: true,
    description:
      'How it is: `HEALTHY`, `DEGRADED` or `UNHEALTHY`, in either case. Any other word counts as DEGRADED.',
  })
  status?: unknown;

  @Field(() => ReportedText, {
    nullable: true,
    description: 'One sentence for people, at most 500 characters.',
  })
  message?: unknown;

  @Field(() => [String], { nullable: true, description: unknownFieldsDescription })
  unknownFields?: string[] | null;
}

const cpu = 'CPU in use, 0 to 100; up to 101 counts as 100.';
const memory = 'Memory in use, 0 to 100; up to 101 counts as 100.';
const disk = 'Disk in use, 0 to 100; up to 101 counts as 100.';
const received = 'Bytes received since the node started, up to 2^53; fractions are cut off.';
const sent = 'Bytes sent since the node started, up to 2^53; fractions are cut off.';

@InputType({
  description:
    'What a node measured earlier, while the panel could not be reached. Each is judged by itself; one without a time ' +
    'is left out.',
})
export class MetricsSampleInput {
  @Field(() => ReportedTime, { nullable: true, description: "When it was measured, by the node's clock." })
  timestamp?: unknown;

  @Field(() => Measurement, { nullable: true, description: cpu })
  cpuPercent?: unknown;

  @Field(() => Measurement, { nullable: true, description: memory })
  memoryPercent?: unknown;

  @Field(() => Measurement, { nullable: true, description: disk })
  diskPercent?: unknown;

  @Field(() => Measurement, { nullable: true, description: received })
  netRxBytes?: unknown;

  @Field(() => Measurement, { nullable: true, description: sent })
  netTxBytes?: unknown;

  @Field(() => Measurement, { nullable: true, description: 'Load average over one minute.' })
  loadAverage?: unknown;

  @Field(() => Measurement, { nullable: true, description: 'Apps installed.' })
  appsCount?: unknown;

  @Field(() => Measurement, { nullable: true, description: 'CPU cores.' })
  cpuCores?: unknown;

  @Field(() => Measurement, { nullable: true, description: 'Memory in GB.' })
  memoryGb?: unknown;

  @Field(() => ReportedText, { nullable: true, description: 'The version of Cloud OS.' })
  version?: unknown;

  @Field(() => Measurement, { nullable: true, description: 'Seconds since the node started.' })
  uptimeSeconds?: unknown;

  @Field(() => Measurement, {
    nullable: true,
    description: 'The sequence of the beat that did not get through.',
  })
  sequence?: unknown;

  @Field(() => [String], { nullable: true, description: unknownFieldsDescription })
  unknownFields?: string[] | null;
}

@InputType({
  description:
    'A beat. It counts even when a part of it does not: what cannot be taken as it came is told in the warnings. Fields ' +
    'that are required have to be there, with whatever value.',
})
export class ReportHeartbeatInput {
  @Field(() => Measurement, { nullable: true, description: `Required. ${cpu}` })
  cpuPercent?: unknown;

  @Field(() => Measurement, { nullable: true, description: `Required. ${memory}` })
  memoryPercent?: unknown;

  @Field(() => Measurement, { nullable: true, description: `Required. ${disk}` })
  diskPercent?: unknown;

  @Field(() => Measurement, { nullable: true, description: 'Required. Apps installed, a whole number.' })
  appsCount?: unknown;

  @Field(() => Measurement, { nullable: true, description: 'Required. CPU cores, a whole number.' })
  cpuCores?: unknown;

  @Field(() => Measurement, { nullable: true, description: 'Required. Memory in GB.' })
  memoryGb?: unknown;

  @Field(() => ReportedText, {
    nullable: true,
    description:
      'Required. The version of Cloud OS, at most 64 characters; the one before stays where there is none.',
  })
  version?: unknown;

  @Field(() => Measurement, { nullable: true, description: received })
  netRxBytes?: unknown;

  @Field(() => Measurement, { nullable: true, description: sent })
  netTxBytes?: unknown;

  @Field(() => Measurement, { nullable: true, description: 'Load average over one minute.' })
  loadAverage?: unknown;

  @Field(() => Measurement, { nullable: true, description: 'Seconds since the node started.' })
  uptimeSeconds?: unknown;

  @Field(() => Measurement, {
    nullable: true,
    description:
      'Storage in use by apps, in GB. Left out, the figure from before stays; null says that it is not measured, and none is counted.',
  })
  storageUsedGb?: unknown;

  @Field(() => [ComponentHealth], {
    nullable: true,
    description:
      'How the node finds its components now; the first 50 are kept. One that a beat does not name has nothing wrong any ' +
      'more, so what is wrong is told with each beat.',
  })
  health?: ComponentHealth[] | null;

  @Field(() => Json, {
    nullable: true,
    description:
      'Facts for governance policies: an object, at most 32 kB of JSON and 64 levels deep. Those from before stay where ' +
      'there are none.',
  })
  facts?: unknown;

  @Field(() => [MetricsSampleInput], {
    nullable: true,
    description: 'Beats that could not be delivered when they were due; the first 500 are kept.',
  })
  samples?: MetricsSampleInput[] | null;

  @Field(() => Measurement, {
    nullable: true,
    description: 'Grows by one with each beat of a run of the agent; each run may begin anew.',
  })
  sequence?: unknown;

  @Field(() => ReportedTime, {
    nullable: true,
    description: "When it was sent, by the node's clock; tells its skew.",
  })
  sentAt?: unknown;

  @Field(() => [String], { nullable: true, description: unknownFieldsDescription })
  unknownFields?: string[] | null;
}

@ObjectType({ description: 'The answer to a beat, given once it is stored.' })
export class ReportHeartbeatPayload {
  @Field(() => DateTime, { description: "The panel's clock." })
  serverTime!: Date;

  @Field(() => Int, { description: 'Seconds until the next beat.' })
  heartbeatSeconds!: number;

  @Field(() => [NodeCommand], {
    description: 'What is waiting for the node, the oldest 20 at most: the rest comes with the next beats.',
  })
  commands!: NodeCommand[];

  @Field(() => String, {
    nullable: true,
    description: 'A credential to use from now on, when the present one is near its end.',
  })
  credential!: string | null;

  @Field(() => [InputWarning], {
    nullable: true,
    description: 'What of the beat could not be taken as it came, at most 100; null when all of it could.',
  })
  warnings!: InputWarning[] | null;
}
