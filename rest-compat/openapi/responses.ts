import type { RouteOptions } from '../route.js';
import type { Schema } from './schemas.js';

const text = { type: 'string' } as const;

export const errorSchemas: Readonly<Record<string, Schema>> = {
  Error: {
    type: 'object',
    properties: {
      error: { ...text, description: 'A sentence for people.' },
      details: {
        type: 'object',
        description:
          'What is to be known besides. Of 422: the path of a field, as it was sent, to a sentence; of a limit: `limit` and `used`.',
      },
    },
    required: ['error'],
  },
  OAuthError: {
    type: 'object',
    description: 'RFC 6749, section 5.2.',
    properties: { error: text, error_description: text },
    required: ['error'],
  },
};

export const headers: Readonly<Record<string, Schema>> = {
  'X-Request-Id': { description: 'By what the log knows the request.', schema: text },
  'X-RateLimit-Limit': { description: 'Requests a minute.', schema: { type: 'integer' } },
  'X-RateLimit-Remaining': { description: 'How many of them are left.', schema: { type: 'integer' } },
  'X-RateLimit-Reset': { description: 'When there are more, in Unix seconds.', schema: { type: 'integer' } },
  'X-Error-Reason': { description: 'Why, in one word for programs.', schema: text },
  'Retry-After': { description: 'After how many seconds to come again.', schema: { type: 'integer' } },
  'WWW-Authenticate': {
    description: '`Bearer`, with `error="invalid_token"` where a token came and is no good.',
    schema: text,
  },
};

const ofEach = ['X-Request-Id', 'X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset'];

const refusals: Readonly<Record<number, readonly [name: string, description: string, ...headers: string[]]>> =
  {
    400: [
      'BadRequest',
      'Not JSON, a value of the wrong type, or a parameter that is unknown or means nothing.',
    ],
    401: ['Unauthenticated', 'No token, or one that is no good; wrong credentials.', 'WWW-Authenticate'],
    403: ['Forbidden', 'The role or the key lacks the permission, or the plan the feature.'],
    404: ['NotFound', 'There is no such thing in this tenant.'],
    409: ['Conflict', 'It exists, it is not in a state for that, or the plan allows no more.'],
    413: ['TooLarge', 'The body is larger than 1 MiB, or 64 KiB without a valid token.'],
    415: ['UnsupportedMediaType', 'The body is not application/json.'],
    422: ['ValidationFailed', 'Fields break rules, are missing or unknown: `details` names them all.'],
    429: ['RateLimited', 'Too many requests: nothing was done.', 'Retry-After'],
    500: ['Internal', 'A fault of the panel’s.'],
    502: ['OutcomeUnknown', 'The answer was lost: it may have been done or not.'],
    503: ['Unavailable', 'A part of the panel is away: come again.', 'Retry-After'],
  };

/** The refusals that routes refer to, in the two styles. */
export function refusalResponses(): Record<string, Schema> {
  const all = Object.values(refusals).flatMap(([name, description, ...more]) => [
    [name, refusal(description, 'Error', more)] as const,
    [`OAuth${name}`, refusal(description, 'OAuthError', more)] as const,
  ]);
  return Object.fromEntries(all);
}

/** Which of them a route may answer, by status. */
export function refusalsOf(
  { errors }: Pick<RouteOptions, 'errors'>,
  { takesBody, writes }: { takesBody: boolean; writes: boolean },
): Record<string, Schema> {
  const left = [...(takesBody ? [] : [413, 415]), ...(writes ? [] : [409, 502])];
  const told = Object.entries(refusals).filter(([status]) => !left.includes(Number(status)));
  const style = errors === 'oauth' ? 'OAuth' : '';
  return Object.fromEntries(
    told.map(([status, [name]]) => [status, { $ref: `#/components/responses/${style}${name}` }]),
  );
}

/** The headers of every answer, as references, and those that an answer has besides. */
export function headersOf(more: readonly string[] = []): Record<string, Schema> {
  return Object.fromEntries(
    [...ofEach, ...more].map((name) => [name, { $ref: `#/components/headers/${name}` }]),
  );
}

function refusal(description: string, schema: string, more: readonly string[]): Schema {
  return {
    description,
    headers: headersOf(['X-Error-Reason', ...more]),
    content: { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } },
  };
}
