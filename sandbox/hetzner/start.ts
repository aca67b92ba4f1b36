import type { Dialect } from '../cloud/dialect.js';
import { startCloudSandbox, type CloudSandbox, type CloudSandboxOptions } from '../cloud/start.js';
import { HetznerError, isErrorCode, notFound } from './errors.js';
import { draw } from './http/budget.js';
import { routes } from './http/routes.js';

export type HetznerSandboxOptions = CloudSandboxOptions;
export type HetznerSandbox = CloudSandbox;

const requestsAnHour = 3_600;

const dialect: Dialect = {
  prefix: '/v1',
  routes,
  draw,
  refusals: {
    unauthorized: () => new HetznerError('unauthorized', 'unable to authenticate'),
    readOnly: () => new HetznerError('token_readonly', 'token is only allowed to perform GET requests'),
    notFound: () => notFound('endpoint'),
    methodNotAllowed: () => new HetznerError('method_not_allowed', 'method not allowed'),
    badJson: () => new HetznerError('json_error', 'invalid JSON'),
    planned: (code, message) => new HetznerError(isErrorCode(code) ? code : 'server_error', message),
  },
};

/** Starts a server on loopback that speaks Hetzner Cloud's API, for the panel's driver and Hetzner's own CLI. */
export async function startHetznerSandbox(options: HetznerSandboxOptions): Promise<HetznerSandbox> {
  return startCloudSandbox(dialect, { requestsAnHour, ...options });
}
