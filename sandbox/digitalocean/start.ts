import type { Dialect } from '../cloud/dialect.js';
import { startCloudSandbox, type CloudSandbox, type CloudSandboxOptions } from '../cloud/start.js';
import { DigitalOceanError, isErrorId, notFound } from './errors.js';
import { draw } from './http/budget.js';
import { routes } from './http/routes.js';
import { scopesOf } from './http/scopes.js';

const requestsAnHour = 5_000;

const dialect: Dialect = {
  prefix: '/v2',
  routes,
  draw,
  scopesOf,
  refusals: {
    unauthorized: () => new DigitalOceanError('unauthorized', 'Unable to authenticate you'),
    readOnly: () => new DigitalOceanError('forbidden', 'You are not authorized to perform this operation'),
    notFound,
    methodNotAllowed: () => new DigitalOceanError('method_not_allowed', 'Method not allowed'),
    badJson: () => new DigitalOceanError('bad_request', 'error parsing request body'),
    planned: (id, message) => new DigitalOceanError(isErrorId(id) ? id : 'server_error', message),
  },
};

/** Starts a server on loopback that speaks DigitalOcean's API, as far as the panel calls it. */
export async function startDigitalOceanSandbox(options: CloudSandboxOptions): Promise<CloudSandbox> {
  return startCloudSandbox(dialect, { requestsAnHour, ...options });
}
