import { z } from 'zod';

import { OperatorError } from './errors.js';

/** Every setting that is missing or wrong, in one error, so that an operator mends them in one go. */
export class EnvError extends OperatorError {
  override readonly name = 'EnvError';
  constructor(readonly problems: readonly string[]) {
    super(`Settings are missing or wrong:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

export type EnvSource = Readonly<Record<string, string | undefined>>;

/** Parses the variables that `shape` names. Empty strings count as absent, as docker-compose passes them. */
export function parseEnv<Shape extends z.ZodRawShape>(
  shape: Shape,
  source: EnvSource,
): z.infer<z.ZodObject<Shape>> {
  const present = Object.fromEntries(
    Object.keys(shape)
      .map((name) => [name, source[name]] as const)
      .filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = z.object(shape).safeParse(present);
  if (parsed.success) return parsed.data;
  throw new EnvError(
    parsed.error.issues.map((issue) => {
      const name = String(issue.path[0] ?? '');
      return name in present ? `${name}: ${issue.message}` : `${name} is required`;
    }),
  );
}

/** Runs several areas' readers and reports the problems of all of them together. */
export function readAll<Readers extends Record<string, (source: EnvSource) => unknown>>(
  readers: Readers,
  source: EnvSource,
): { [Name in keyof Readers]: ReturnType<Readers[Name]> } {
  const problems: string[] = [];
  const settings: Record<string, unknown> = {};
  for (const [name, read] of Object.entries(readers)) {
    try {
      settings[name] = read(source);
    } catch (error) {
      if (!(error instanceof EnvError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new EnvError([...new Set(problems)]);
  return settings as { [Name in keyof Readers]: ReturnType<Readers[Name]> };
}

/** Schemas shared by the areas' env.ts files. */
export const settings = {
  port: z.coerce.number().int().min(0).max(65_535),
  url: z.url(),
  seconds: z.coerce.number().int().positive(),
  flag: z.enum(['true', 'false', '1', '0']).transform((value) => value === 'true' || value === '1'),
  /** ALLOW_PRIVATE_TARGETS: subnets, addresses and host names, separated by commas. */
  privateTargets: z
    .string()
    .default('')
    .transform((text) => text.split(',')),
};
