import type { z } from 'zod';

import { shortPath, shortSentence } from './client-data.js';
import { ApiError } from './errors.js';

/** Enough to mend an input by; a hostile one must not make an answer longer than itself. */
const mostDetails = 100;

/** Broken fields by their path in the GraphQL arguments (`input.maxUses`), each with a sentence. */
export type Faults = Record<string, string>;

/**
 * Checks an input against its rules and answers the parsed value. All broken fields are reported at once, keyed by
 * their path in the GraphQL arguments (`input.maxUses`).
 */
export function validate<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  path = 'input',
): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalidFields(faultsOf(parsed.error, path));
}

/** The same where more faults are to be told together with those of the rules: it throws nothing. */
export function faultsIn(schema: z.ZodType, value: unknown, path = 'input'): Faults {
  const parsed = schema.safeParse(value);
  return parsed.success ? {} : faultsOf(parsed.error, path);
}

export function invalidFields(details: Faults): ApiError {
  const told = Object.entries(details).slice(0, mostDetails);
  return new ApiError('VALIDATION_FAILED', 'Validation failed', {
    details: Object.fromEntries(told.map(([path, sentence]) => [shortPath(path), shortSentence(sentence)])),
  });
}

function faultsOf({ issues }: z.ZodError, path: string): Faults {
  const details: Faults = {};
  for (const issue of issues.slice(0, mostDetails))
    details[[path, ...issue.path].join('.')] ??= issue.message;
  return details;
}
