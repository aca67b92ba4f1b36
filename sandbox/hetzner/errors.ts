import { CloudError } from '../cloud/error.js';

/** Codes of Hetzner's errors and the status that each comes with. */
const statusOf = {
  unauthorized: 401,
  forbidden: 403,
  token_readonly: 403,
  resource_limit_exceeded: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  uniqueness_error: 409,
  resource_unavailable: 412,
  placement_error: 412,
  invalid_input: 422,
  json_error: 400,
  locked: 423,
  protected: 423,
  rate_limit_exceeded: 429,
  server_error: 500,
  service_error: 503,
  maintenance: 503,
} as const;

export type ErrorCode = keyof typeof statusOf;
export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(statusOf, code);

/** What Hetzner answers instead of what was asked for. */
export class HetznerError extends CloudError {
  constructor(code: ErrorCode, message: string, details: object | null = null) {
    super(statusOf[code], message, { error: { code, message, details } });
  }
}

/** As Hetzner names the fields that it refuses. */
export function invalidInput(field: string, message: string): HetznerError {
  return new HetznerError('invalid_input', `invalid input in field '${field}'`, {
    fields: [{ name: field, messages: [message] }],
  });
}

export function notFound(kind: string): HetznerError {
  return new HetznerError('not_found', `${kind} not found`);
}
