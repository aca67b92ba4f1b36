import { parse } from 'qs';
import { z } from 'zod';

import { StripeError, type ErrorFields } from '../errors.js';

/** Text that may not be empty: an empty value means unsetting, and these fields cannot be unset. */
export const text = z.string().min(1).max(5000);

/** Text that an empty value unsets. */
export const unsettableText = z
  .string()
  .max(5000)
  .transform((value) => (value === '' ? null : value));

export const integer = z
  .string()
  .regex(/^-?\d{1,15}$/, 'integer')
  .transform(Number);

export const decimal = z
  .string()
  .regex(/^-?\d+(\.\d{1,12})?$/, 'decimal')
  .transform(Number);

export const flag = z.enum(['true', 'false']).transform((value) => value === 'true');

export const metadata = unsettable(z.record(z.string().max(40), z.string().max(500)));

/** A list or an object that an empty value unsets. */
export function unsettable<Schema extends z.ZodType>(schema: Schema) {
  return z.union([z.literal('').transform(() => null), schema]);
}

export const expand = z.array(text).optional();

/** A moment, or bounds of it, as lists are filtered by. */
export const range = z.union([
  z.strictObject({
    gt: integer.optional(),
    gte: integer.optional(),
    lt: integer.optional(),
    lte: integer.optional(),
  }),
  integer.transform((moment) => ({ gte: moment, lte: moment })),
]);

export type Range = z.infer<typeof range>;

export function isWithin(value: number | null, bounds: Range | undefined): boolean {
  if (!bounds) return true;
  const { gt = -Infinity, gte = -Infinity, lt = Infinity, lte = Infinity } = bounds as Record<string, number>;
  return value !== null && value > gt && value >= gte && value < lt && value <= lte;
}

export const pageParameters = {
  limit: integer.optional(),
  starting_after: text.optional(),
  ending_before: text.optional(),
  expand,
};

/** An address as Stripe takes it; an empty value unsets it. */
export const address = unsettable(
  z.strictObject({
    city: unsettableText.optional(),
    country: unsettableText.optional(),
    line1: unsettableText.optional(),
    line2: unsettableText.optional(),
    postal_code: unsettableText.optional(),
    state: unsettableText.optional(),
  }),
);

/** Metadata after a change: empty values remove their keys, and an empty whole removes all. */
export function changedMetadata(
  before: Readonly<Record<string, string>> | null | undefined,
  change: Readonly<Record<string, string>> | null | undefined,
): Record<string, string> {
  if (change === null) return {};
  const after = Object.entries({ ...before, ...change }).filter(([, value]) => value !== '');
  return Object.fromEntries(after);
}

/** A form body or a query, by the bracket notation. */
export function parseForm(body: string): Record<string, unknown> {
  return parse(body, { arrayLimit: 200, depth: 12, parameterLimit: 2000, plainObjects: false }) as Record<
    string,
    unknown
  >;
}

type Issue = z.core.$ZodIssue;

/** Parameters by their schema, or the first of their faults as Stripe words it. */
export function checkedParameters<Schema extends z.ZodType>(schema: Schema, form: object): z.infer<Schema> {
  const result = schema.safeParse(form, { reportInput: true });
  if (result.success) return result.data;
  throw fault(result.error.issues.flatMap(leaves));
}

// Of a union the last branch is what is told of; the first ones are the empty value and words like `now`.
function leaves(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const inner = issue.errors.at(-1) ?? [];
  return inner.flatMap((each) => leaves({ ...each, path: [...issue.path, ...each.path] } as Issue));
}

function fault(issues: readonly Issue[]): StripeError {
  const unknown = issues.find((issue) => issue.code === 'unrecognized_keys');
  if (unknown) {
    const name = nameOf([...unknown.path, unknown.keys[0] ?? '']);
    return refusal(`Received unknown parameter: ${name}`, { code: 'parameter_unknown', param: name });
  }
  const issue = issues.find((each) => each.code === 'invalid_type' && each.input === undefined) ?? issues[0];
  if (!issue) throw new Error('a check of parameters failed without an issue');
  const name = nameOf(issue.path);
  const [message, code] = words(issue, name);
  return refusal(message, { ...(code === undefined ? {} : { code }), param: name });
}

function words(issue: Issue, name: string): [message: string, code?: string] {
  const { input } = issue;
  const shown = typeof input === 'string' ? input : JSON.stringify(input);
  if (input === undefined) return [`Missing required param: ${name}.`, 'parameter_missing'];
  if (input === '')
    return [
      `You passed an empty string for '${name}'. We assume empty values are an attempt to unset a field; however '${name}' cannot be unset. You should remove '${name}' from your request or supply a non-empty value.`,
      'parameter_invalid_empty',
    ];
  if (issue.code === 'invalid_format')
    return issue.message === 'integer'
      ? [`Invalid integer: ${shown}`, 'parameter_invalid_integer']
      : [`Invalid decimal: ${shown}; must contain at maximum twelve decimal places.`];
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String);
    if (values.includes('true')) return [`Invalid boolean: ${shown}`];
    const last = values.length > 1 ? `, or ${values.at(-1)}` : values[0];
    return [`Invalid ${name}: must be one of ${values.slice(0, -1).join(', ')}${last}`];
  }
  if (issue.code === 'too_big')
    return [`Invalid string: ${shown.slice(0, 20)}...; must be at most ${issue.maximum} characters`];
  if (issue.code === 'invalid_type' && (issue.expected === 'object' || issue.expected === 'record'))
    return [`Invalid object`];
  if (issue.code === 'invalid_type' && issue.expected === 'array') return ['Invalid array'];
  if (issue.code === 'invalid_type') return [`Invalid string: ${shown}`];
  return [issue.message];
}

function refusal(message: string, fields: ErrorFields): StripeError {
  return new StripeError(400, 'invalid_request_error', message, fields, true);
}

function nameOf(path: readonly PropertyKey[]): string {
  const [first, ...rest] = path;
  return String(first) + rest.map((part) => `[${String(part)}]`).join('');
}
