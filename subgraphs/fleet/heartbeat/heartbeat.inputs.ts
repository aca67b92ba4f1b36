import { Field, Float, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { z } from 'zod';

import { DateTime, JsonObject } from '#platform/subgraph/scalars.js';

import { NodeCommand } from '../command/node-command.js';

export enum ComponentStatus {
  HEALTHY = 'HEALTHY',
  DEGRADED = 'DEGRADED',
  UNHEALTHY = 'UNHEALTHY',
}

registerEnumType(ComponentStatus, {
  name: 'ComponentStatus',
  description: 'How a node finds one of its own components.',
});

@InputType({ description: 'How a node finds one of its own components.' })
export class ComponentHealth {
  @Field(() => String, { description: 'The component: `backup`, `proxy`, ...' })
  component!: string;

  @Field(() => ComponentStatus, { description: 'How it is.' })
  status!: ComponentStatus;

  @Field(() => String, { nullable: true, description: 'One sentence for people.' })
  message?: string | null;
}

@InputType({ description: 'What a node measured earlier, while the panel could not be reached.' })
export class MetricsSampleInput {
  @Field(() => DateTime, { description: "When it was measured, by the node's clock." })
  timestamp!: Date;

  @Field(() => Float, { description: 'CPU in use, 0 to 100.' })
  cpuPercent!: number;

  @Field(() => Float, { description: 'Memory in use, 0 to 100.' })
  memoryPercent!: number;

  @Field(() => Float, { description: 'Disk in use, 0 to 100.' })
  diskPercent!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'Bytes received since the node started; fractions are cut off.',
  })
  netRxBytes?: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Bytes sent since the node started; fractions are cut off.',
  })
  netTxBytes?: number | null;

  @Field(() => Float, { nullable: true, description: 'Load average over one minute.' })
  loadAverage?: number | null;

  @Field(() => Int, { nullable: true, description: 'Apps installed.' })
  appsCount?: number | null;

  @Field(() => Int, { nullable: true, description: 'CPU cores.' })
  cpuCores?: number | null;

  @Field(() => Float, { nullable: true, description: 'Memory in GB.' })
  memoryGb?: number | null;

  @Field(() => String, { nullable: true, description: 'The version of Cloud OS.' })
  version?: string | null;

  @Field(() => Float, { nullable: true, description: 'Seconds since the node started.' })
  uptimeSeconds?: number | null;

  @Field(() => Float, { nullable: true, description: 'The sequence of the beat that did not get through.' })
  sequence?: number | null;
}

@InputType()
export class ReportHeartbeatInput {
  @Field(() => Float, { description: 'CPU in use, 0 to 100.' })
  cpuPercent!: number;

  @Field(() => Float, { description: 'Memory in use, 0 to 100.' })
  memoryPercent!: number;

  @Field(() => Float, { description: 'Disk in use, 0 to 100.' })
  diskPercent!: number;

  @Field(() => Int, { description: 'Apps installed.' })
  appsCount!: number;

  @Field(() => Int, { description: 'CPU cores.' })
  cpuCores!: number;

  @Field(() => Float, { description: 'Memory in GB.' })
  memoryGb!: number;

  @Field(() => String, { description: 'The version of Cloud OS.' })
  version!: string;

  @Field(() => Float, {
    nullable: true,
    description: 'Bytes received since the node started; fractions are cut off.',
  })
  netRxBytes?: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Bytes sent since the node started; fractions are cut off.',
  })
  netTxBytes?: number | null;

  @Field(() => Float, { nullable: true, description: 'Load average over one minute.' })
  loadAverage?: number | null;

  @Field(() => Float, { nullable: true, description: 'Seconds since the node started.' })
  uptimeSeconds?: number | null;

  @Field(() => Float, { nullable: true, description: 'Storage in use by apps, in GB.' })
  storageUsedGb?: number | null;

  @Field(() => [ComponentHealth], {
    nullable: true,
    description: 'How the node finds its components, at most 50.',
  })
  health?: ComponentHealth[] | null;

  @Field(() => JsonObject, {
    nullable: true,
    description: 'Facts for governance policies, at most 32 kB of JSON.',
  })
  facts?: Record<string, unknown> | null;

  @Field(() => [MetricsSampleInput], {
    nullable: true,
    description: 'Beats that could not be delivered when they were due, at most 500.',
  })
  samples?: MetricsSampleInput[] | null;

  @Field(() => Float, { nullable: true, description: 'Grows by one with each beat of a run of the agent.' })
  sequence?: number | null;

  @Field(() => DateTime, {
    nullable: true,
    description: "When it was sent, by the node's clock; tells its skew.",
  })
  sentAt?: Date | null;
}

const percent = (what: string) =>
  z.number().min(0, `${what} must be from 0 to 100`).max(100, `${what} must be from 0 to 100`);
const count = (what: string) => z.number().min(0, `${what} must not be negative`);
// A counter of bytes never gets near the bound; beyond it numbers would lose their last digits and sums could overflow.
const counter = (what: string) =>
  z
    .number()
    .min(0, `${what} must not be negative`)
    .max(Number.MAX_SAFE_INTEGER, `${what} must be at most ${Number.MAX_SAFE_INTEGER}`)
    // A fraction of a byte, of whoever computes it from larger units, is nobody's mistake.
    .transform(Math.trunc);
const measured = {
  cpuPercent: percent('CPU percent'),
  memoryPercent: percent('Memory percent'),
  diskPercent: percent('Disk percent'),
  netRxBytes: counter('Net rx bytes').nullish(),
  netTxBytes: counter('Net tx bytes').nullish(),
  loadAverage: count('Load average').nullish(),
};
const factsLimit = 32 * 1024;

export const reportHeartbeatRules = z.object({
  ...measured,
  appsCount: count('Apps count'),
  cpuCores: count('CPU cores'),
  memoryGb: count('Memory GB'),
  version: z.string().trim().min(1, 'Version is required').max(64, 'Version must have at most 64 characters'),
  uptimeSeconds: count('Uptime seconds').nullish(),
  storageUsedGb: count('Storage used GB').nullish(),
  health: z
    .array(
      z.object({
        component: z
          .string()
          .min(1, 'Component is required')
          .max(100, 'Component must have at most 100 characters'),
        status: z.enum(ComponentStatus),
        message: z.string().max(500, 'Message must have at most 500 characters').nullish(),
      }),
    )
    .max(50, 'At most 50 components')
    .nullish(),
  facts: z
    .record(z.string(), z.unknown())
    .refine((facts) => JSON.stringify(facts).length <= factsLimit, 'Facts must have at most 32 kB of JSON')
    .nullish(),
  samples: z
    .array(z.object({ timestamp: z.date(), ...measured }))
    .max(500, 'At most 500 samples')
    .nullish(),
  sequence: z
    .number()
    .int('Sequence must be a whole number')
    .min(0, 'Sequence must not be negative')
    .nullish(),
  sentAt: z.date().nullish(),
});

export type Heartbeat = z.infer<typeof reportHeartbeatRules>;

@ObjectType({ description: 'The answer to a beat, given once it is stored.' })
export class ReportHeartbeatPayload {
  @Field(() => DateTime, { description: "The panel's clock." })
  serverTime!: Date;

  @Field(() => Int, { description: 'Seconds until the next beat.' })
  heartbeatSeconds!: number;

  @Field(() => [NodeCommand], { description: 'What is waiting for the node.' })
  commands!: NodeCommand[];

  @Field(() => String, {
    nullable: true,
    description: 'A credential to use from now on, when the present one is near its end.',
  })
  credential!: string | null;
}
