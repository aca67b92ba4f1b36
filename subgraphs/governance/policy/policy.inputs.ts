import { Field, InputType } from 'type-graphql';
import { z } from 'zod';

import { Json, JsonObject } from '#platform/subgraph/scalars.js';
import type { Faults } from '#platform/validation.js';

import { OrderedCommand, orderRules } from '../order/order.js';
import { checkRule } from '../rule/check.js';
import type { Rule } from '../rule/rule.js';
import { PolicyEnforcement, PolicySeverity, ruleDescription, scopeDescription } from './policy.entity.js';
import { checkScope, type Scope } from './scope.js';

@InputType({ description: 'What has to hold.' })
export class PolicyRuleInput {
  @Field(() => String, {
    nullable: true,
    description: 'The path of a fact, as `backup.encryption`; left out where `operator` combines rules.',
  })
  condition?: string | null;

  @Field(() => String, { description: 'How it is compared, or `all`, `any`, `none`.' })
  operator!: string;

  @Field(() => Json, {
    nullable: true,
    description: 'What it is compared with, or the list of rules that are combined.',
  })
  value?: unknown;
}

@InputType({ description: 'The command that brings an instance in line with a policy.' })
export class PolicyRemedyInput {
  @Field(() => OrderedCommand, { description: 'What the instance is told.' })
  command!: OrderedCommand;

  @Field(() => JsonObject, {
    nullable: true,
    description:
      'What the command takes; see `commandKinds`. Of APPLY_POLICY nothing: it takes the policy itself.',
  })
  params?: Record<string, unknown> | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether it is sent by itself where the policy does not hold; false unless told.',
  })
  isAutomatic?: boolean | null;
}

@InputType({ description: 'A new policy.' })
export class CreatePolicyInput {
  @Field(() => String, { description: '1 to 200 characters, unique in the tenant without case.' })
  name!: string;

  @Field(() => String, {
    nullable: true,
    description: 'A word to sort by, at most 50 characters; `general` unless told.',
  })
  type?: string | null;

  @Field(() => String, { nullable: true, description: 'What it is for, at most 2000 characters.' })
  description?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'What to do where it does not hold, at most 2000 characters.',
  })
  resolution?: string | null;

  @Field(() => PolicyRuleInput, { description: ruleDescription })
  rule!: PolicyRuleInput;

  @Field(() => PolicyEnforcement, { nullable: true, description: 'ADVISORY unless told.' })
  enforcement?: PolicyEnforcement | null;

  @Field(() => PolicySeverity, { nullable: true, description: 'MEDIUM unless told.' })
  severity?: PolicySeverity | null;

  @Field(() => Json, { nullable: true, description: `${scopeDescription}; \`"all_instances"\` unless told.` })
  appliesTo?: unknown;

  @Field(() => PolicyRemedyInput, { nullable: true, description: 'What mends it; nothing unless told.' })
  remediation?: PolicyRemedyInput | null;
}

@InputType({ description: 'What changes of a policy; what is left out stays.' })
export class UpdatePolicyInput {
  @Field(() => String, {
    nullable: true,
    description: '1 to 200 characters, unique in the tenant without case.',
  })
  name?: string | null;

  @Field(() => String, { nullable: true, description: 'A word to sort by, at most 50 characters.' })
  type?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'What it is for, at most 2000 characters; null takes it away.',
  })
  description?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'What to do where it does not hold, at most 2000 characters; null takes it away.',
  })
  resolution?: string | null;

  @Field(() => PolicyRuleInput, { nullable: true, description: ruleDescription })
  rule?: PolicyRuleInput | null;

  @Field(() => PolicyEnforcement, { nullable: true, description: 'What follows where it does not hold.' })
  enforcement?: PolicyEnforcement | null;

  @Field(() => PolicySeverity, { nullable: true, description: 'How much it counts.' })
  severity?: PolicySeverity | null;

  @Field(() => Json, { nullable: true, description: `${scopeDescription}.` })
  appliesTo?: unknown;

  @Field(() => PolicyRemedyInput, { nullable: true, description: 'What mends it; null takes it away.' })
  remediation?: PolicyRemedyInput | null;
}

type Check = (given: unknown, path: string) => { faults: Faults } | Record<string, unknown>;

/** Hands on what a check of ours finds, each at its place below the field. */
export const checked = <T>(check: Check, key: string) =>
  z.unknown().transform((given, context): T => {
    const answer = check(given, '');
    if (!('faults' in answer)) return answer[key] as T;
    for (const [path, message] of Object.entries(answer.faults as Faults))
      context.addIssue({ code: 'custom', path: path.split('.').filter(Boolean), message });
    return z.NEVER;
  });

/** The same where null and nothing at all leave it as it is. */
export const maybe = <T>(check: Check, key: string) =>
  z
    .unknown()
    .transform((given, context): T | undefined => {
      if (given === undefined || given === null) return undefined;
      const parsed = checked<T>(check, key).safeParse(given);
      if (parsed.success) return parsed.data;
      for (const { path, message } of parsed.error.issues)
        context.addIssue({ code: 'custom', path: [...path], message });
      return z.NEVER;
    })
    .optional();

const name = z.string().trim().min(1, 'Name is required').max(200, 'Name must have at most 200 characters');
const type = z.string().trim().min(1, 'Type is required').max(50, 'Type must have at most 50 characters');
const text = (what: string) =>
  z.string().trim().max(2_000, `${what} must have at most 2000 characters`).nullish();

/** The policy itself is put in when the command is sent. */
const remedy = z
  .object({
    command: z.enum(OrderedCommand),
    params: z.record(z.string(), z.unknown()).nullish(),
    isAutomatic: z.boolean().nullish(),
  })
  .superRefine(({ command, params }, context) => {
    const isOfItself = command === OrderedCommand.APPLY_POLICY;
    const whole = isOfItself && Object.keys(params ?? {}).length === 0 ? { policy_id: '-' } : params;
    const parsed = orderRules.safeParse({
      command: isOfItself && whole === params ? OrderedCommand.RESTART : command,
      params: whole,
    });
    for (const { path, message } of parsed.error?.issues ?? [])
      context.addIssue({ code: 'custom', path: [...path], message });
  })
  .transform(({ command, params, isAutomatic }) => ({
    command,
    params: params ?? {},
    isAutomatic: isAutomatic ?? false,
  }))
  .nullish();

export const createPolicyRules = z.object({
  name,
  type: type.nullish(),
  description: text('Description'),
  resolution: text('Resolution'),
  rule: checked<Rule>(checkRule, 'rule'),
  enforcement: z.enum(PolicyEnforcement).nullish(),
  severity: z.enum(PolicySeverity).nullish(),
  appliesTo: maybe<Scope>(checkScope, 'scope'),
  remediation: remedy,
});

export const updatePolicyRules = z.object({
  name: name.nullish(),
  type: type.nullish(),
  description: text('Description'),
  resolution: text('Resolution'),
  rule: maybe<Rule>(checkRule, 'rule'),
  enforcement: z.enum(PolicyEnforcement).nullish(),
  severity: z.enum(PolicySeverity).nullish(),
  appliesTo: maybe<Scope>(checkScope, 'scope'),
  remediation: remedy,
});
