import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { z } from 'zod';

import { JsonObject } from '#platform/subgraph/scalars.js';

export enum CommandKind {
  UPDATE = 'UPDATE',
  RESTART = 'RESTART',
  BACKUP = 'BACKUP',
  RUN_DIAGNOSTICS = 'RUN_DIAGNOSTICS',
  APPLY_POLICY = 'APPLY_POLICY',
}

interface KindRules {
  description: string;
  /** What `params` must be; a field that it does not name is refused. */
  params: z.ZodObject;
}

const ruleLimit = 16 * 1024;

/** The closed list of what a node can be told to do, and what each takes. */
export const commandKinds: Readonly<Record<CommandKind, KindRules>> = {
  UPDATE: {
    description: 'Updates Cloud OS to `version`.',
    params: z.strictObject({
      version: z
        .string('version is required, as in 0.3.0')
        .max(64, 'version must have at most 64 characters')
        // Browsers take patterns of fields with the flag `v`, which takes no bare hyphen among others.
        .regex(/^\d+\.\d+\.\d+(-(?:[\w.]|-)+)?(\+(?:[\w.]|-)+)?$/, 'version must be a version, as in 0.3.0')
        .describe('The version to update to, as in 0.3.0.'),
    }),
  },
  RESTART: {
    description: 'Restarts Cloud OS. Takes no params.',
    params: z.strictObject({}),
  },
  BACKUP: {
    description: 'Makes a backup now. Takes no params.',
    params: z.strictObject({}),
  },
  RUN_DIAGNOSTICS: {
    description: 'Collects facts about the system; they are the output, as JSON. Takes no params.',
    params: z.strictObject({}),
  },
  APPLY_POLICY: {
    description: 'Brings the node in line with a governance policy: `policy_id`, and the `rule` to fulfil.',
    params: z.strictObject({
      policy_id: z
        .string('policy_id is required')
        .min(1, 'policy_id is required')
        .max(100, 'policy_id must have at most 100 characters')
        .describe('The policy.'),
      rule: z
        .record(z.string(), z.unknown(), 'rule must be an object')
        .refine((rule) => JSON.stringify(rule).length <= ruleLimit, 'rule must have at most 16 kB of JSON')
        .describe('What is to hold on the node, as the policy has it.')
        .optional(),
    }),
  },
};

registerEnumType(CommandKind, {
  name: 'CommandKind',
  description: 'What a node is told to do.',
  valuesConfig: {
    UPDATE: { description: commandKinds.UPDATE.description },
    RESTART: { description: commandKinds.RESTART.description },
    BACKUP: { description: commandKinds.BACKUP.description },
    RUN_DIAGNOSTICS: { description: commandKinds.RUN_DIAGNOSTICS.description },
    APPLY_POLICY: { description: commandKinds.APPLY_POLICY.description },
  },
});

@ObjectType({ description: 'One kind of command, described for programs.' })
export class CommandKindInfo {
  @Field(() => CommandKind, { description: 'The kind.' })
  kind!: CommandKind;

  @Field(() => String, { description: 'What it does.' })
  description!: string;

  @Field(() => JsonObject, { description: 'What `params` must be, as a JSON Schema.' })
  paramsSchema!: Record<string, unknown>;
}

export const commandKindInfos: readonly CommandKindInfo[] = Object.values(CommandKind).map((kind) => {
  const { description, params } = commandKinds[kind];
  return { kind, description, paramsSchema: { ...z.toJSONSchema(params) } };
});

/** The faults of `params`, each with its path inside them. */
export function paramsFaults(kind: CommandKind, params: unknown): { path: PropertyKey[]; message: string }[] {
  const parsed = commandKinds[kind].params.safeParse(params);
  if (parsed.success) return [];
  return parsed.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({
          path: [...issue.path, key],
          message: `${key} is not a parameter of ${kind.toLowerCase()}`,
        }))
      : [{ path: issue.path, message: issue.message }],
  );
}
