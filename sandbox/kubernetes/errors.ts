import type { JsonObject } from './wire.js';

/** The API's reasons that are answered here, and their statuses. */
const statuses = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Expired: 410,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  ServiceUnavailable: 503,
  Timeout: 504,
} as const;

export type Reason = keyof typeof statuses;

export const reasons = Object.keys(statuses) as Reason[];

export interface Cause {
  reason: string;
  message: string;
  field: string;
}

export interface Details {
  name?: string;
  group?: string;
  kind?: string;
  causes?: Cause[];
  retryAfterSeconds?: number;
}

/** What is answered as a `Status` object. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly code: number;

  constructor(
    readonly reason: Reason,
    message: string,
    readonly details: Details = {},
  ) {
    super(message);
    this.code = statuses[reason];
  }

  body(): JsonObject {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      reason: this.reason,
      details: { ...this.details } as unknown as JsonObject,
      code: this.code,
    };
  }
}
