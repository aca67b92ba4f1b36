import { Field, ID, InputType, Int } from 'type-graphql';
import { z } from 'zod';

import { Json } from '#platform/subgraph/scalars.js';

import { DeploymentStatus } from './deployment.status.js';

export const envText =
  'Environment variables as an object of texts, at most 100 and 64 kB together. Kept sealed; `envNames` tells their names, and ' +
  'their values are never answered.';

export const setEnvText =
  'Environment variables as an object of texts: these are set, the others stay. With those there are at most 100, and 64 kB ' +
  'together. Kept sealed and never answered. Not beside `env`.';

export const removeEnvText =
  'The names of environment variables, at most 100: these are taken away, the others stay. Whichever there is not is passed over. ' +
  'Not beside `env`.';

@InputType({ description: 'A deployment of one container.' })
export class CreateDeploymentInput {
  @Field(() => ID, { description: 'The cluster.' })
  clusterId!: string;

  @Field(() => String, { nullable: true, description: 'A namespace that is there; `default` unless told.' })
  namespace?: string | null;

  @Field(() => String, {
    description: "Its name, and its container's: 1 to 63 lower-case letters, digits and hyphens.",
  })
  name!: string;

  @Field(() => String, { description: 'The image, with its tag or digest.' })
  image!: string;

  @Field(() => Int, { nullable: true, description: '0 to 1000; 1 unless told.' })
  replicas?: number | null;

  @Field(() => Json, { nullable: true, description: envText })
  env?: unknown;

  @Field(() => [Int], { nullable: true, description: 'TCP ports of the container, at most 20.' })
  ports?: number[] | null;
}

@InputType({ description: 'What changes of a deployment; what is left out stays.' })
export class UpdateDeploymentInput {
  @Field(() => String, { nullable: true, description: 'The image, with its tag or digest.' })
  image?: string | null;

  @Field(() => Int, { nullable: true, description: '0 to 1000.' })
  replicas?: number | null;

  @Field(() => Json, { nullable: true, description: `All of them. ${envText}` })
  env?: unknown;

  @Field(() => Json, { nullable: true, description: setEnvText })
  setEnv?: unknown;

  @Field(() => [String], { nullable: true, description: removeEnvText })
  removeEnv?: string[] | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether fields are taken from others who own them; they are not unless told.',
  })
  takesOver?: boolean | null;
}

const label = (what: string) =>
  z
    .string()
    .regex(
      /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
      `${what} must have 1 to 63 lower-case letters, digits and hyphens, and begin and end without a hyphen`,
    );
const image = z
  .string()
  .trim()
  .min(1, 'Image is required')
  .max(500, 'Image must have at most 500 characters')
  .regex(/^\S+$/, 'Image must have no spaces');
const count = 'Replicas must be from 0 to 1000';
const replicas = z.number().min(0, count).max(1_000, count);
const variableName = 'Variables have names of letters, digits, _, . and -';
export const envRules = z
  .record(
    z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,199}$/, variableName),
    z.string('Variables are texts'),
    { error: ({ code }) => (code === 'invalid_key' ? variableName : 'Env must be an object of texts') },
  )
  .refine((value) => Object.keys(value).length <= 100, 'At most 100 variables')
  .refine((value) => JSON.stringify(value).length <= 65_536, 'Variables must have at most 64 kB together');
const port = 'Ports must be from 1 to 65535';
const ports = z
  .array(z.number().min(1, port).max(65_535, port))
  .max(20, 'At most 20 ports')
  .refine((value) => new Set(value).size === value.length, 'A port is named twice');

export const createDeploymentRules = z.object({
  clusterId: z.string(),
  namespace: label('Namespace').nullish(),
  name: label('Name'),
  image,
  replicas: replicas.nullish(),
  env: envRules.nullish(),
  ports: ports.nullish(),
});

const changes = {
  image: image.nullish(),
  replicas: replicas.nullish(),
  env: envRules.nullish(),
  setEnv: envRules.nullish(),
  removeEnv: z.array(z.string()).max(100, 'At most 100 variables').nullish(),
};
type EnvChange = Pick<z.infer<z.ZodObject<typeof changes>>, 'env' | 'setEnv' | 'removeEnv'>;

function checkEnvChange(input: EnvChange, context: z.core.$RefinementCtx): void {
  const add = (field: string, message: string) =>
    context.addIssue({ code: 'custom', path: [field], message });
  for (const field of ['setEnv', 'removeEnv'] as const)
    if (input.env && input[field]) add(field, 'It is not beside env, which says them all');
  if (input.removeEnv?.some((name) => Object.hasOwn(input.setEnv ?? {}, name)))
    add('removeEnv', 'A variable is either set or taken away');
}

export const updatePlacementRules = z.object(changes).superRefine(checkEnvChange);
export const updateDeploymentRules = z
  .object({ ...changes, takesOver: z.boolean().nullish() })
  .superRefine(checkEnvChange);

@InputType({ description: 'Narrows a list of deployments; what is left out does not narrow.' })
export class DeploymentFilter {
  @Field(() => ID, { nullable: true, description: 'Only those in this cluster.' })
  clusterId?: string | null;

  @Field(() => DeploymentStatus, { nullable: true, description: 'Only those in this status.' })
  status?: DeploymentStatus | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Only those that the panel made, or that others made.',
  })
  isManaged?: boolean | null;
}
