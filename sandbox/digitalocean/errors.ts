import { randomUUID } from 'node:crypto';

import { CloudError } from '../cloud/error.js';

/** The ids of DigitalOcean's errors and the status that each comes with. What is wrong is in the message only. */
const statusOf = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  unprocessable_entity: 422,
  too_many_requests: 429,
  server_error: 500,
  service_unavailable: 503,
} as const;

export type ErrorId = keyof typeof statusOf;
export const isErrorId = (id: string): id is ErrorId => Object.hasOwn(statusOf, id);

/** What DigitalOcean answers instead of what was asked for. */
export class DigitalOceanError extends CloudError {
  constructor(id: ErrorId, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(statusOf[id], message, { id, message, request_id: randomUUID() }, headers);
  }
}

export const unprocessable = (message: string) => new DigitalOceanError('unprocessable_entity', message);
export const notFound = () =>
  new DigitalOceanError('not_found', 'The resource you were accessing could not be found.');
/** Of a droplet that DigitalOcean is at work on. */
export const pending = () => unprocessable('Droplet already has a pending event.');
