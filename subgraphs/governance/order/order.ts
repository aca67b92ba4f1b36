import { registerEnumType } from 'type-graphql';
import { z } from 'zod';

/** The commands of fleet. */
export enum OrderedCommand {
  UPDATE = 'UPDATE',
  RESTART = 'RESTART',
  BACKUP = 'BACKUP',
  RUN_DIAGNOSTICS = 'RUN_DIAGNOSTICS',
  APPLY_POLICY = 'APPLY_POLICY',
}

registerEnumType(OrderedCommand, {
  name: 'OrderedCommand',
  description: 'What instances are told, as by `sendCommand`: the same words as those of `CommandKind`.',
  valuesConfig: {
    UPDATE: {
      description: 'Update Cloud OS to `version`. It is taken back by an update to what ran before.',
    },
    RESTART: { description: 'Restart Cloud OS.' },
    BACKUP: { description: 'Make a backup.' },
    RUN_DIAGNOSTICS: { description: 'Collect facts about the system.' },
    APPLY_POLICY: { description: 'Come in line with the policy `policy_id`.' },
  },
});

export interface CommandOrder {
  command: OrderedCommand;
  params: Record<string, unknown>;
}

const version = /^\d+\.\d+\.\d+(-[\w.-]+)?(\+[\w.-]+)?$/;
const nothing = z.strictObject({});
/** As fleet takes them. */
const paramsOf: Readonly<Record<OrderedCommand, z.ZodType>> = {
  UPDATE: z.strictObject({
    version: z
      .string('version is required, as in 0.3.0')
      .max(64, 'version must have at most 64 characters')
      .regex(version, 'version must be a version, as in 0.3.0'),
  }),
  RESTART: nothing,
  BACKUP: nothing,
  RUN_DIAGNOSTICS: nothing,
  APPLY_POLICY: z.strictObject({
    policy_id: z.string('policy_id is required').min(1, 'policy_id is required').max(100),
    rule: z.record(z.string(), z.unknown(), 'rule must be an object').optional(),
  }),
};

/** A command of fleet's with what it takes. */
export const orderRules = z
  .object({ command: z.enum(OrderedCommand), params: z.record(z.string(), z.unknown()).nullish() })
  .superRefine(({ command, params }, context) => {
    const parsed = paramsOf[command].safeParse(params ?? {});
    for (const issue of parsed.error?.issues ?? []) {
      const keys = issue.code === 'unrecognized_keys' ? issue.keys : [undefined];
      for (const key of keys)
        context.addIssue({
          code: 'custom',
          path: ['params', ...issue.path, ...(key === undefined ? [] : [key])],
          message:
            key === undefined ? issue.message : `${key} is not a parameter of ${command.toLowerCase()}`,
        });
    }
  })
  .transform(({ command, params }) => ({ command, params: params ?? {} }));
