import type { z } from 'zod';

import { invalid } from '#platform/errors.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';
import { faultsIn, invalidFields, validate, type Faults } from '#platform/validation.js';

import { groupsNamed, targetsOf, unknownGroups } from '../group/group-members.service.js';
import { unknownInstances } from '../instance/unknown-instances.service.js';
import { sendCommandRules, type SendCommandInput } from './command.inputs.js';

/** A command as it was asked for, once nothing is wrong with it by itself. */
export type CommandRules = z.output<ReturnType<typeof sendCommandRules>>;

export const defaults = {
  maxConcurrency: 50,
  maxErrors: 0,
  deliveryTimeoutSeconds: 3_600,
  executionTimeoutSeconds: 3_600,
};

const mostInstances = 10_000;

/** What is wrong by itself is told together with what is not of the fleet. */
export async function commandRulesOf(operation: Operation, input: SendCommandInput): Promise<CommandRules> {
  const valid = sendCommandRules(operation.clock.now());
  const faults = faultsIn(valid, input);
  if (Object.keys(faults).length === 0) return validate(valid, input);
  const unknown = await unknownTargets(operation.em, operation.tenantId, input);
  throw invalidFields({ ...unknown, ...faults });
}

/** Who gets it: fixed now, whatever becomes of groups and tags. */
export async function targetsFor(
  { em }: Pick<Write, 'em'>,
  operation: Operation,
  rules: CommandRules,
): Promise<string[]> {
  const { tenantId } = operation;
  const unknown = await unknownTargets(em, tenantId, rules);
  if (Object.keys(unknown).length > 0) throw invalidFields(unknown);
  const groups = await groupsNamed(em, tenantId, rules.groupIds ?? []);
  const found = await targetsOf(em, tenantId, { groups, tags: rules.tags ?? [] }, operation.clock.now());
  const all = [...new Set([...(rules.instanceIds ?? []), ...found])];
  if (all.length > mostInstances) throw invalid('input', `These are more than ${mostInstances} instances`);
  if (all.length > 0) return all;
  throw invalid(rules.groupIds?.length ? 'input.groupIds' : 'input.tags', 'No instance is among these now');
}

/** When a command begins that is sent now. */
export function beginningOf({ startAt }: CommandRules, now: Date): Date {
  return startAt && startAt > now ? startAt : now;
}

/** No instance takes up a command after this that is sent now. */
export function expiryOf(rules: CommandRules, now: Date): Date {
  const seconds = rules.deliveryTimeoutSeconds ?? defaults.deliveryTimeoutSeconds;
  return new Date(beginningOf(rules, now).getTime() + seconds * 1000);
}

/** Instances and groups that the tenant has not, each under its place in its list. */
async function unknownTargets(
  em: Write['em'],
  tenantId: string,
  { instanceIds, groupIds }: Pick<SendCommandInput, 'instanceIds' | 'groupIds'>,
): Promise<Faults> {
  return {
    ...(await unknownInstances(em, tenantId, instanceIds, 'input.instanceIds')),
    ...(await unknownGroups(em, tenantId, groupIds, 'input.groupIds')),
  };
}
