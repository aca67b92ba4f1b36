import type { z } from 'zod';

import { ApiError } from './errors.js';

/** Enough to mend an input by; a hostile one must not make an answer longer than itself. */
const mostDetails = 100;

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
  const details: Record<string, string> = {};
  for (const issue of parsed.error.issues.slice(0, mostDetails))
    details[[path, ...issue.path].join('.')] ??= issue.message;
  throw new ApiError('VALIDATION_FAILED', 'Validation failed', { details });
}
