import { z } from 'zod';

import { faultsIn, type Faults } from '#platform/validation.js';

import { PolicyEnforcement, PolicySeverity } from '../../policy/policy.entity.js';
import { createPolicyRules } from '../../policy/policy.inputs.js';
import type { ResourceKind } from './resource.js';
import { readScope } from './scope.js';
import { inManifestWords } from './words.js';

type Spec = Readonly<Record<string, unknown>>;

/** The spec of a resource as it is compared and sent, or what is wrong with it, by place below `spec`. */
export type SpecRead = { spec: Spec } | { faults: Faults };

/** Words of enumerations, as REST takes them. */
const upper = (value: unknown): unknown => (typeof value === 'string' ? value.toUpperCase() : value);

const policyFields = [
  'type',
  'description',
  'resolution',
  'rule',
  'enforcement',
  'severity',
  'applies_to',
  'remediation',
];

/** The words that a policy's file has in place of the input's. */
function remedy(given: unknown): unknown {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return given;
  const { automatic, ...rest } = given as Spec;
  return { ...rest, command: upper(rest['command']), isAutomatic: automatic ?? false };
}

function policy(name: string, given: Spec): SpecRead {
  const unknown = Object.keys(given).filter((field) => !policyFields.includes(field));
  const scope = readScope(given['applies_to'] ?? 'all_instances', '.applies_to');
  const input = {
    name,
    type: given['type'] ?? 'general',
    description: given['description'] ?? null,
    resolution: given['resolution'] ?? null,
    rule: given['rule'],
    enforcement: upper(given['enforcement'] ?? PolicyEnforcement.ADVISORY),
    severity: upper(given['severity'] ?? PolicySeverity.MEDIUM),
    remediation: remedy(given['remediation'] ?? null),
  };
  const faults = {
    ...Object.fromEntries(unknown.map((field) => [`.${field}`, `A policy has no ${field}`])),
    ...('faults' in scope ? scope.faults : {}),
    ...faultsIn(createPolicyRules, input, ''),
  };
  if ('faults' in scope || Object.keys(faults).length > 0)
    return {
      faults: Object.fromEntries(
        Object.entries(faults).map(([path, sentence]) => [inManifestWords(path), sentence]),
      ),
    };
  const { name: _, ...spec } = createPolicyRules.parse(input);
  return { spec: { ...spec, appliesTo: scope.scope } };
}

const groupRules = z
  .strictObject({
    instance_ids: z.array(z.string('It is the id of an instance')).max(1_000, 'At most 1000').nullish(),
    filter: z
      .strictObject({
        tags: z.array(z.string('It is text')).max(20, 'At most 20').nullish(),
        status: z.preprocess(upper, z.string('It is a status')).nullish(),
        q: z.string('It is text').trim().max(200, 'At most 200 characters').nullish(),
      })
      .nullish(),
  })
  .refine(({ instance_ids: ids, filter }) => !ids !== !filter, 'It takes either instance_ids or a filter');

function group(_name: string, given: Spec): SpecRead {
  return parsed(groupRules, given, ({ instance_ids: ids, filter }) => {
    if (ids) return { kind: 'STATIC', instanceIds: [...new Set(ids)].toSorted() };
    const { tags, status, q } = filter ?? {};
    return { kind: 'LIVE', filter: { tags: tags ?? null, status: status ?? null, q: q ?? null } };
  });
}

const seconds = z.int('It is whole seconds').min(0, 'It is 0 to 86400').max(86_400, 'It is 0 to 86400');

const ruleFields = {
  enabled: z.boolean('It is true or false').optional(),
  severity: z.preprocess(upper, z.enum(['INFO', 'WARNING', 'CRITICAL'])).optional(),
  threshold: z.number('It is percent').gt(0, 'It is above 0').max(100, 'It is at most 100').optional(),
  for_seconds: seconds.optional(),
  keep_firing_for_seconds: seconds.optional(),
};

const alertRuleRules = z
  .strictObject(ruleFields)
  .refine((rule) => Object.values(rule).some((value) => value !== undefined), 'It sets nothing of the rule');

function alertRule(_name: string, given: Spec): SpecRead {
  return parsed(alertRuleRules, given, (rule) =>
    Object.fromEntries(Object.entries(settingsOf(rule)).filter(([, value]) => value !== undefined)),
  );
}

const settingsOf = (rule: z.infer<typeof alertRuleRules>) => ({
  isEnabled: rule.enabled,
  severity: rule.severity,
  threshold: rule.threshold,
  forSeconds: rule.for_seconds,
  keepFiringForSeconds: rule.keep_firing_for_seconds,
});

const lastPriority = 10_000;
const priorities = `It is 1 to ${lastPriority}`;

const overridesRules = z
  .strictObject({
    overrides: z
      .array(
        z.strictObject({
          group: z.string('It is the name of a group').trim().min(1, 'It is the name of a group'),
          priority: z.int(priorities).min(1, priorities).max(lastPriority, priorities).optional(),
          ...ruleFields,
        }),
      )
      .max(20, 'At most 20'),
  })
  .superRefine(({ overrides }, context) => {
    const places = placesOf(overrides);
    const names = overrides.map(({ group: name }) => name.toLowerCase());
    for (const [at, { group: _, priority: __, ...settings }] of overrides.entries()) {
      const fault = (field: string, message: string) =>
        context.addIssue({ code: 'custom', path: ['overrides', at, field], message });
      const before = at === 0 ? 0 : places[at - 1]!;
      if (names.indexOf(names[at]!) < at) fault('group', 'There is an override for it above');
      if (places[at]! <= before) fault('priority', `It is above ${before}, that of the one before it`);
      if (places[at]! > lastPriority)
        fault('priority', `There is no multiple of ten behind ${before}: write one`);
      if (Object.values(settings).every((value) => value === undefined))
        fault('enabled', 'It sets nothing: it says nothing that the rule does not');
    }
  });

/** What is not written is the next multiple of ten. */
function placesOf(overrides: readonly { priority?: number | undefined }[]): number[] {
  const places: number[] = [];
  for (const { priority } of overrides)
    places.push(priority ?? (Math.floor((places.at(-1) ?? 0) / 10) + 1) * 10);
  return places;
}

function alertRuleOverrides(_name: string, given: Spec): SpecRead {
  return parsed(overridesRules, given, ({ overrides }) => {
    const places = placesOf(overrides);
    return {
      overrides: overrides.map((one, at) => ({
        group: one.group.toLowerCase(),
        priority: places[at],
        ...Object.fromEntries(
          Object.entries(settingsOf(one)).map(([field, value]) => [field, value ?? null]),
        ),
      })),
    };
  });
}

const versionRules = z.strictObject({
  version: z
    .string('It is text: put it in quotes')
    .trim()
    .min(1, 'It is required')
    .max(50, 'At most 50 characters'),
  applies_to: z.unknown().optional(),
  steps: z
    .array(
      z.strictObject({
        percent: z.int('It is 1 to 100').min(1, 'It is 1 to 100').max(100, 'It is 1 to 100'),
        bake_seconds: z
          .int('It is 0 to 604800')
          .min(0, 'It is 0 to 604800')
          .max(604_800, 'It is 0 to 604800'),
        waits: z.boolean('It is true or false').optional(),
      }),
    )
    .min(1, 'At least one')
    .max(20, 'At most 20')
    .optional(),
  progress_deadline_seconds: z
    .int('It is 120 to 172800')
    .min(120, 'It is 120 to 172800')
    .max(172_800, 'It is 120 to 172800')
    .optional(),
});
const defaultSteps = [
  { percent: 10, bakeSeconds: 600 },
  { percent: 50, bakeSeconds: 600 },
];

function desiredVersion(_name: string, given: Spec): SpecRead {
  const scope = readScope(given['applies_to'] ?? 'all_instances', '.applies_to');
  const read = parsed(versionRules, given, ({ version, steps, progress_deadline_seconds: deadline }) => ({
    version,
    steps: steps?.map(({ bake_seconds: bakeSeconds, ...step }) => ({ ...step, bakeSeconds })) ?? defaultSteps,
    ...(deadline === undefined ? {} : { progressDeadlineSeconds: deadline }),
  }));
  if ('faults' in read || 'faults' in scope)
    return {
      faults: { ...('faults' in scope ? scope.faults : {}), ...('faults' in read ? read.faults : {}) },
    };
  return { spec: { ...read.spec, appliesTo: scope.scope } };
}

/** How the spec of each kind is read. */
export const readSpec: Readonly<Record<ResourceKind, (name: string, spec: Spec) => SpecRead>> = {
  AlertRule: alertRule,
  AlertRuleOverrides: alertRuleOverrides,
  DesiredVersion: desiredVersion,
  InstanceGroup: group,
  Policy: policy,
};

function parsed<Schema extends z.ZodType>(
  schema: Schema,
  given: unknown,
  toSpec: (value: z.infer<Schema>) => Spec,
): SpecRead {
  const answer = schema.safeParse(given);
  return answer.success ? { spec: toSpec(answer.data) } : { faults: faultsIn(schema, given, '') };
}
