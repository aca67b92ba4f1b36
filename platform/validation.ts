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
  const parsed = schema.safeParse(value, { error: sentenceOf });
  if (parsed.success) return parsed.data;
  throw invalidFields(faultsOf(parsed.error, path));
}

/** The same where more faults are to be told together with those of the rules: it throws nothing. */
export function faultsIn(schema: z.ZodType, value: unknown, path = 'input'): Faults {
  const parsed = schema.safeParse(value, { error: sentenceOf });
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

/**
 * In place of zod's sentence about a word that is none of an enumeration: its words as files and REST have them.
 * GraphQL refuses such a word before any rule is asked.
 */
function sentenceOf(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code !== 'invalid_value') return undefined;
  const words = issue.values.map((value) => String(value).toLowerCase());
  return words.length === 1 ? `It is ${words[0]}` : `It is one of ${words.join(', ')}`;
}
