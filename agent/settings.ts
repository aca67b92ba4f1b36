import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { z } from 'zod';

import type { AgentEnv } from './env.js';
import type { Proxies } from './proxies.js';
import { isLoopback } from './sign-in/listener.js';
import { cloudOsVersion } from './version.js';

/** Everything the command line and the environment say, checked. */
export interface Settings {
  readonly panelUrl: string;
  readonly token?: string;
  readonly name: string;
  readonly hostname: string;
  readonly stateFile: string;
  readonly baseUrl?: string;
  readonly redirectUris?: readonly string[];
  readonly signIn: boolean;
  readonly issuer?: string;
  readonly version: string;
  readonly appsPath?: string;
  readonly simulate: boolean;
  readonly logLevel: string;
  readonly proxies: Proxies;
}

/** What is wrong with the flags, in words for whoever typed them. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const usage = `Usage: npm run agent -- --panel URL --token flt_... [options]

Connects this machine to a Quazzar Control Panel and reports its health.

  --panel URL          the panel's address                       QUAZZAR_PANEL
  --token flt_...      enrollment token, needed the first time   QUAZZAR_TOKEN
  --name NAME          name in the fleet (the host name)         QUAZZAR_NAME
  --hostname HOST      public host name (the host name)          QUAZZAR_HOSTNAME
  --state FILE         where the node's credential is kept       QUAZZAR_STATE
  --base-url URL       where users reach this node               QUAZZAR_BASE_URL
                       (https://HOST)
  --redirect-uri URI   sign-in callback, may be repeated         QUAZZAR_REDIRECT_URIS
                       (comma separated in the environment)
  --sign-in            serve the sign-in page at the base URL,   QUAZZAR_SIGN_IN
                       an http address of this machine
  --issuer URL         the panel's own name for itself, where    QUAZZAR_ISSUER
                       it is reached by another address
  --os-version V       Cloud OS version to report (${cloudOsVersion})        QUAZZAR_OS_VERSION
  --apps-path PATH     where apps keep their data, on a          QUAZZAR_APPS_PATH
                       filesystem of its own, whose used space
                       is reported as storage
  --simulate           report made-up figures                    QUAZZAR_SIMULATE
  --help               show this

A flag wins over its variable. Other users of a machine can see flags but not the environment, so a token is better
given as QUAZZAR_TOKEN. QUAZZAR_LOG_LEVEL (info) is one of debug, info, warn, error, silent. HTTPS_PROXY, HTTP_PROXY and
NO_PROXY, in small letters first, say through which proxies the panel is reached.
`;

const flags = {
  panel: { type: 'string' },
  token: { type: 'string' },
  name: { type: 'string' },
  hostname: { type: 'string' },
  state: { type: 'string' },
  'base-url': { type: 'string' },
  'redirect-uri': { type: 'string', multiple: true },
  'os-version': { type: 'string' },
  'apps-path': { type: 'string' },
  issuer: { type: 'string' },
  'sign-in': { type: 'boolean' },
  simulate: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const webUrl = z
  .url({ protocol: /^https?$/, error: 'is not an http or https address' })
  .refine((text) => !URL.canParse(text) || new URL(text).username === '', 'must not hold a user name');
const word = z.string().trim().min(1, 'is empty').max(255, 'is longer than 255 characters');
const yesOrNo = z
  .enum(['true', 'false', '1', '0'], 'is neither true nor false')
  .transform((text) => text === 'true' || text === '1');

/** Where curl is given none, it takes http for the scheme. Wrong ones are not repeated: there may be a password in them. */
const proxyUrl = z
  .string()
  .transform((text) => (text.includes('://') ? text : `http://${text}`))
  .refine(isProxy, 'is not the address of an http or https proxy');

const shape = z.object({
  panel: webUrl,
  token: z
    .string()
    .regex(/^flt_\S+$/, 'does not look like an enrollment token (flt_...)')
    .optional(),
  name: word,
  hostname: word.regex(/^[A-Za-z0-9.:-]+$/, 'is not a host name'),
  state: word.optional(),
  'base-url': webUrl.optional(),
  'redirect-uri': z.array(webUrl).optional(),
  'os-version': word,
  'apps-path': z.string().startsWith('/', 'is not an absolute path').optional(),
  issuer: webUrl.optional(),
  'sign-in': yesOrNo,
  simulate: yesOrNo,
  'log-level': z.enum(
    ['debug', 'info', 'warn', 'error', 'silent'],
    'is not one of debug, info, warn, error, silent',
  ),
  'http-proxy': proxyUrl.optional(),
  'https-proxy': proxyUrl.optional(),
  'no-proxy': z.string().optional(),
});

const variables: Record<string, keyof AgentEnv> = {
  panel: 'QUAZZAR_PANEL',
  token: 'QUAZZAR_TOKEN',
  name: 'QUAZZAR_NAME',
  hostname: 'QUAZZAR_HOSTNAME',
  state: 'QUAZZAR_STATE',
  'base-url': 'QUAZZAR_BASE_URL',
  'redirect-uri': 'QUAZZAR_REDIRECT_URIS',
  'os-version': 'QUAZZAR_OS_VERSION',
  'apps-path': 'QUAZZAR_APPS_PATH',
  issuer: 'QUAZZAR_ISSUER',
  'sign-in': 'QUAZZAR_SIGN_IN',
  simulate: 'QUAZZAR_SIMULATE',
  'log-level': 'QUAZZAR_LOG_LEVEL',
  'http-proxy': 'HTTP_PROXY',
  'https-proxy': 'HTTPS_PROXY',
};

/** Flags over environment over defaults; throws a UsageError that names every problem, answers 'help' when asked to. */
export function readSettings(argv: readonly string[], env: AgentEnv): Settings | 'help' {
  const given = parse(argv);
  if (given.help === true) return 'help';
  const hostname = given.hostname ?? env.QUAZZAR_HOSTNAME ?? os.hostname();
  const parsed = shape.safeParse({
    panel: given.panel ?? env.QUAZZAR_PANEL,
    token: given.token ?? env.QUAZZAR_TOKEN,
    name: given.name ?? env.QUAZZAR_NAME ?? hostname,
    hostname,
    state: given.state ?? env.QUAZZAR_STATE,
    'base-url': given['base-url'] ?? env.QUAZZAR_BASE_URL,
    'redirect-uri': given['redirect-uri'] ?? env.QUAZZAR_REDIRECT_URIS?.split(',').map((uri) => uri.trim()),
    'os-version': given['os-version'] ?? env.QUAZZAR_OS_VERSION ?? cloudOsVersion,
    'apps-path': given['apps-path'] ?? env.QUAZZAR_APPS_PATH,
    issuer: given.issuer ?? env.QUAZZAR_ISSUER,
    'sign-in': given['sign-in'] === true ? 'true' : (env.QUAZZAR_SIGN_IN ?? 'false'),
    simulate: given.simulate === true ? 'true' : (env.QUAZZAR_SIMULATE ?? 'false'),
    'log-level': env.QUAZZAR_LOG_LEVEL ?? 'info',
    'http-proxy': env.http_proxy ?? env.HTTP_PROXY,
    'https-proxy': env.https_proxy ?? env.HTTPS_PROXY,
    'no-proxy': env.no_proxy ?? env.NO_PROXY,
  });
  if (!parsed.success) throw new UsageError(complaints(parsed.error, given, env));
  if (parsed.data['sign-in'] && !isLoopback(parsed.data['base-url'] ?? 'https://none')) {
    throw new UsageError(
      '--sign-in needs --base-url with an http address of this machine, like http://127.0.0.1:4101',
    );
  }
  const { panel, token, name, state, simulate, ...rest } = parsed.data;
  return {
    panelUrl: panel,
    token,
    name,
    hostname: rest.hostname,
    stateFile: path.resolve(state ?? defaultStateFile(name, env)),
    baseUrl: rest['base-url'],
    redirectUris: rest['redirect-uri'],
    signIn: rest['sign-in'],
    issuer: rest.issuer,
    version: rest['os-version'],
    appsPath: rest['apps-path'],
    simulate,
    logLevel: rest['log-level'],
    proxies: { http: rest['http-proxy'], https: rest['https-proxy'], noProxy: rest['no-proxy'] },
  };
}

function isProxy(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, pathname, search, hash, username, password } = new URL(text);
  try {
    decodeURIComponent(`${username}${password}`);
  } catch {
    return false;
  }
  return /^https?:$/.test(protocol) && pathname === '/' && search === '' && hash === '';
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: flags, allowPositionals: false }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function complaints(error: z.ZodError, given: Record<string, unknown>, env: AgentEnv): string {
  return error.issues
    .map(({ path: [field], message }) => {
      const name = String(field);
      const variable = variables[name] ?? name;
      if (given[name] !== undefined) return `--${name} ${message}`;
      if (env[variable as keyof AgentEnv] !== undefined) return `${variable} ${message}`;
      return name in flags ? `--${name} (or ${variable}) is required` : `${variable} ${message}`;
    })
    .join('\n');
}

/** Named after the node, so that two nodes on one machine don't take each other's identity. */
function defaultStateFile(name: string, env: AgentEnv): string {
  const file = `${name.replaceAll(/[^A-Za-z0-9._-]/g, '_')}.json`;
  if (process.getuid?.() === 0) return path.join('/var/lib/quazzar-agent', file);
  const home = env.XDG_STATE_HOME ?? path.join(os.homedir(), '.local', 'state');
  return path.join(home, 'quazzar-agent', file);
}
