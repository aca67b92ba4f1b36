import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { z } from 'zod';

import { JsonObject } from '#platform/subgraph/scalars.js';

import { PolicyEvidence } from '../result/result.entity.js';

export enum AdmissionSubject {
  INSTANCE_COMMAND = 'INSTANCE_COMMAND',
  CANARY = 'CANARY',
  PROVISION = 'PROVISION',
  PLAN_CHANGE = 'PLAN_CHANGE',
  DEPLOYMENT = 'DEPLOYMENT',
}

registerEnumType(AdmissionSubject, {
  name: 'AdmissionSubject',
  description: 'What something is done to, and so which policies have a say.',
  valuesConfig: {
    INSTANCE_COMMAND: {
      description: 'Instances, by a command: the policies that are for each of `instanceIds`.',
    },
    CANARY: { description: 'Instances, step by step: as a command.' },
    PROVISION: {
      description:
        'An instance that is yet to be made: the policies for all instances, or for its `tags`. `facts` say what it will be: ' +
        '`server.provider`, `server.region`, `server.country`, `server.size`, `cloud_os.version`, `os.name`, ...',
    },
    PLAN_CHANGE: {
      description:
        'The tenant, whose plan changes: policies for all instances that are about `plan.name` and the like, or actions.',
    },
    DEPLOYMENT: {
      description:
        'A workload of a cluster: policies about `deployment.image` and `cluster.version` and the like, or actions, for all or ' +
        "for the cluster's `tags`.",
    },
  },
});

/** Of these it is instances that are asked about, and of the others something that is none yet, or never will be. */
export const instanceSubjects: ReadonlySet<AdmissionSubject> = new Set([
  AdmissionSubject.INSTANCE_COMMAND,
  AdmissionSubject.CANARY,
]);

/** What policies for tags are asked about by tags that come along. */
const taggedSubjects: ReadonlySet<AdmissionSubject> = new Set([
  AdmissionSubject.PROVISION,
  AdmissionSubject.DEPLOYMENT,
]);

@InputType({ description: 'Something that is about to be done.' })
export class AdmissionInput {
  @Field(() => AdmissionSubject, {
    defaultValue: AdmissionSubject.INSTANCE_COMMAND,
    description: 'To what.',
  })
  subject?: AdmissionSubject;

  @Field(() => String, {
    description:
      'What: `command.update`, `canary.update`, `server.provision`, `plan.change`, `deployment.create`, ... The fact ' +
      '`action.kind`.',
  })
  action!: string;

  @Field(() => [ID], {
    nullable: true,
    description:
      'Of INSTANCE_COMMAND and CANARY: to which instances, at most 10000; what is done to none is admitted. Of the others none.',
  })
  instanceIds?: string[] | null;

  @Field(() => [String], {
    nullable: true,
    description: 'Of PROVISION: the tags that it will have. Of DEPLOYMENT: those of its cluster.',
  })
  tags?: string[] | null;

  @Field(() => JsonObject, {
    nullable: true,
    description: 'What will be so afterwards, by the paths of facts: `{"cloud_os.version": "0.3.0"}`.',
  })
  facts?: Record<string, unknown> | null;

  @Field(() => Boolean, {
    description:
      'Whether it changes what runs on instances. Then one on which a mandatory policy does not hold is refused it, unless ' +
      'that mends it; otherwise only policies about actions, or about `facts`, are asked.',
  })
  isChange!: boolean;
}

const unlessInstances = 'Only of a subject that is instances';

export const admissionRules = z
  .object({
    subject: z.enum(AdmissionSubject).default(AdmissionSubject.INSTANCE_COMMAND),
    action: z
      .string()
      .regex(
        /^[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)*$/,
        'Action must be words with dots between, as command.update',
      )
      .max(100, 'Action must have at most 100 characters'),
    instanceIds: z.array(z.string()).max(10_000, 'At most 10000 instances').nullish(),
    tags: z.array(z.string()).max(100, 'At most 100 tags').nullish(),
    facts: z.record(z.string(), z.unknown()).nullish(),
    isChange: z.boolean(),
  })
  .superRefine(({ subject, instanceIds, tags }, context) => {
    const isOfInstances = instanceSubjects.has(subject);
    if (!isOfInstances && instanceIds?.length)
      context.addIssue({ code: 'custom', path: ['instanceIds'], message: unlessInstances });
    if (!taggedSubjects.has(subject) && tags?.length)
      context.addIssue({ code: 'custom', path: ['tags'], message: 'Only of PROVISION and DEPLOYMENT' });
  });

@ObjectType({ description: 'A mandatory policy that does not let something be done.' })
export class AdmissionRefusal {
  @Field(() => ID, { description: 'The policy.' })
  policyId!: string;

  @Field(() => String, { description: 'Its name.' })
  policyName!: string;

  @Field(() => String, { nullable: true, description: 'What to do about it, as the policy says.' })
  resolution!: string | null;

  @Field(() => ID, { nullable: true, description: 'Where; null of a new instance.' })
  instanceId!: string | null;

  @Field(() => PolicyEvidence, { description: 'The comparison that decided.' })
  evidence!: PolicyEvidence;
}

@ObjectType({ description: 'How many instances a mandatory policy does not let something be done on.' })
export class AdmissionRefuser {
  @Field(() => ID, { description: 'The policy.' })
  policyId!: string;

  @Field(() => String, { description: 'Its name.' })
  policyName!: string;

  @Field(() => String, { nullable: true, description: 'What to do about it, as the policy says.' })
  resolution!: string | null;

  @Field(() => Int, { description: 'On how many of the instances; 1 of what is no instance.' })
  count!: number;

  @Field(() => [AdmissionRefusal], { description: 'Where, and what decided: the first 20.' })
  refusals!: AdmissionRefusal[];
}

@ObjectType({ description: 'A canary under way that some of the instances are in.' })
export class AdmissionCanary {
  @Field(() => ID, { description: 'The canary.' })
  canaryId!: string;

  @Field(() => Int, { description: 'How many of the instances are in it.' })
  instances!: number;
}

@ObjectType({ description: 'Whether something may be done.' })
export class AdmissionAnswer {
  @Field(() => Boolean, { description: 'Whether no mandatory policy refuses it.' })
  isAdmitted!: boolean;

  @Field(() => [AdmissionRefusal], { description: 'Why not: the first 100.' })
  refusals!: AdmissionRefusal[];

  @Field(() => [AdmissionRefuser], {
    description: 'All policies that refuse it, those first that do so on the most instances.',
  })
  refusers!: AdmissionRefuser[];

  @Field(() => [ID], { description: 'All instances on which it is refused.' })
  refusedInstanceIds!: string[];

  /** What it was asked about: no field. */
  instanceIds!: readonly string[];
}
