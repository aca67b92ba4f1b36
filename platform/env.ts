import { readFileSync } from 'node:fs';

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

/**
 * The setting, which may be in a file of its own that NAME_FILE names, as secrets are mounted: without the line's end. An
 * empty string counts as absent, as docker-compose passes it.
 */
export function settingOf(source: EnvSource, name: string): string | undefined {
  const [value, file] = [source[name], source[`${name}_FILE`]].map((text) =>
    text === '' ? undefined : text,
  );
  if (file === undefined) return value;
  if (value !== undefined) throw new EnvError([`${name} and ${name}_FILE: only one of them may be set`]);
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '') || undefined;
  } catch (error) {
    const { code = 'no file' } = error as NodeJS.ErrnoException;
    throw new EnvError([`${name}_FILE: ${file} cannot be read (${code})`]);
  }
}

/** Parses the variables that `shape` names, or that are in the files of NAME_FILE; all that is wrong is one error. */
export function parseEnv<Shape extends z.ZodRawShape>(
  shape: Shape,
  source: EnvSource,
): z.infer<z.ZodObject<Shape>> {
  const present: Record<string, string> = {};
  const unreadable: string[] = [];
  for (const name of Object.keys(shape)) {
    try {
      const value = settingOf(source, name);
      if (value !== undefined) present[name] = value;
    } catch (error) {
      if (!(error instanceof EnvError)) throw error;
      unreadable.push(...error.problems);
    }
  }
  const parsed = z.object(shape).safeParse(present);
  if (parsed.success && unreadable.length === 0) return parsed.data;
  const problems = (parsed.error?.issues ?? []).map((issue) => {
    const name = String(issue.path[0] ?? '');
    return name in present ? `${name}: ${issue.message}` : `${name} is required`;
  });
  // What could not be read is not missing.
  const isTold = (problem: string) => {
    const [name = ''] = problem.split(' ');
    return unreadable.some((told) => told.startsWith(`${name}_FILE`) || told.startsWith(`${name} `));
  };
  throw new EnvError([...unreadable, ...problems.filter((problem) => !isTold(problem))]);
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
