import { Field, InputType, Int } from 'type-graphql';
import { z } from 'zod';

import { Json } from '#platform/subgraph/scalars.js';

import {
  createDeploymentRules,
  envText,
  removeEnvText,
  setEnvText,
} from '../deployment/deployment.inputs.js';
import { PlacementStatus } from './placement.status.js';

@InputType({ description: 'One deployment for several clusters.' })
export class PlaceDeploymentInput {
  @Field(() => String, { nullable: true, description: 'A namespace that is there; `default` unless told.' })
  namespace?: string | null;

  @Field(() => String, {
    description:
      "Its name in each cluster, and its container's: 1 to 63 lower-case letters, digits and hyphens.",
  })
  name!: string;

  @Field(() => String, { description: 'The image, with its tag or digest.' })
  image!: string;

  @Field(() => Int, { nullable: true, description: 'In each cluster, 0 to 1000; 1 unless told.' })
  replicas?: number | null;

  @Field(() => Json, { nullable: true, description: envText })
  env?: unknown;

  @Field(() => [Int], { nullable: true, description: 'TCP ports of the container, at most 20.' })
  ports?: number[] | null;

  @Field(() => String, {
    nullable: true,
    description: 'Only clusters in this region. It or `tag` is required.',
  })
  region?: string | null;

  @Field(() => String, { nullable: true, description: 'Only clusters with this tag.' })
  tag?: string | null;

  @Field(() => Int, {
    nullable: true,
    description: 'How much of the clusters a partition is, 1 to 100 percent, rounded up; 25 unless told.',
  })
  partitionPercent?: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'In how many clusters it may fail before it is stopped, 0 to 199; none unless told.',
  })
  mostFailures?: number | null;
}

@InputType({ description: 'What changes of a placement; what is left out stays.' })
export class UpdatePlacementInput {
  @Field(() => String, { nullable: true, description: 'The image, with its tag or digest.' })
  image?: string | null;

  @Field(() => Int, { nullable: true, description: 'In each cluster, 0 to 1000.' })
  replicas?: number | null;

  @Field(() => Json, { nullable: true, description: `All of them. ${envText}` })
  env?: unknown;

  @Field(() => Json, { nullable: true, description: setEnvText })
  setEnv?: unknown;

  @Field(() => [String], { nullable: true, description: removeEnvText })
  removeEnv?: string[] | null;
}

const word = (what: string) =>
  z.string().trim().min(1, `${what} is empty`).max(50, `${what} must have at most 50 characters`);
const percent = 'Partitions must be from 1 to 100 percent';
const failures = 'Failures must be from 0 to 199';

const deployed = createDeploymentRules.omit({ clusterId: true }).shape;

export const placeDeploymentRules = z
  .object({
    ...deployed,
    region: word('Region').nullish(),
    tag: word('Tag').nullish(),
    partitionPercent: z.number().min(1, percent).max(100, percent).nullish(),
    mostFailures: z.number().min(0, failures).max(199, failures).nullish(),
  })
  .refine(({ region, tag }) => region != null || tag != null, {
    path: ['region'],
    message: 'Region or tag is required',
  });

@InputType({ description: 'Narrows a list of placements; what is left out does not narrow.' })
export class PlacementFilter {
  @Field(() => PlacementStatus, { nullable: true, description: 'Only those in this status.' })
  status?: PlacementStatus | null;
}
