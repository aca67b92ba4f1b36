import { isIP } from 'node:net';

import { OutboundError } from '#platform/outbound/errors.js';
import { hostOf, type TargetGuard } from '#platform/outbound/guard.js';

import { GitError } from './git-error.js';

/** Where a repository is. */
export interface GitAddress {
  protocol: 'http' | 'https' | 'ssh';
  /** As git is given it; it holds no secret. */
  url: string;
  host: string;
  port: number;
}

/** `git@github.com:owner/name.git`, as people copy it. */
const scpLike = /^(?:([a-z_][a-z0-9_-]*)@)?([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?):(?!\/\/)([^\s:][^\s]*)$/i;
const defaultPorts = { http: 80, https: 443, ssh: 22 } as const;

/** Reads an address of https, http or ssh. Throws an OutboundError that says what is wrong with it. */
export function parseAddress(guard: TargetGuard, text: string): GitAddress {
  // What git would read otherwise than this does.
  if (/[%\s\\]/.test(text))
    throw new OutboundError('BAD_URL', 'The address must have no %, no \\ and no space');
  const scp = scpLike.exec(text);
  const url = scp ? `ssh://${scp[1] ?? 'git'}@${scp[2]}/${scp[3]}` : text;
  if (!url.startsWith('ssh://')) {
    const parsed = guard.parse(url);
    const protocol = parsed.protocol === 'https:' ? 'https' : 'http';
    return {
      protocol,
      url: parsed.href,
      host: plainHost(parsed),
      port: Number(parsed.port) || defaultPorts[protocol],
    };
  }
  if (!URL.canParse(url)) throw new OutboundError('BAD_URL', 'The address must be an absolute URL');
  const parsed = new URL(url);
  const { username, hostname, port, pathname } = parsed;
  if (hostname === '' || !/^\/[^\s]/.test(pathname))
    throw new OutboundError('BAD_URL', 'The address must have a host and a path');
  if (parsed.password !== '') throw new OutboundError('BAD_URL', 'The address must not hold a password');
  if (!/^[a-z0-9_][a-z0-9_.-]*$/i.test(username))
    throw new OutboundError('BAD_URL', 'The address must name the user, as ssh://git@host/path');
  // Not spoken to as ssh: whatever else listens there.
  if (port !== '' && port !== '22' && Number(port) < 1024)
    throw new OutboundError('TARGET_REFUSED', `Port ${port} may not be used`);
  const host = plainHost(parsed);
  const place = `${bracketed(host)}${port === '' ? '' : `:${port}`}${pathname}`;
  return { protocol: 'ssh', url: `ssh://${username}@${place}`, host, port: Number(port) || defaultPorts.ssh };
}

/** Of an ssh: address the parser keeps any host, quotes and all; it goes into settings of curl and of ssh. */
function plainHost(url: URL): string {
  const host = hostOf(url);
  if (isIP(host) !== 0 || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(host)) return host;
  throw new OutboundError('BAD_URL', 'The address must have a plain host name');
}

/** An address that was found to be one that the panel may talk to, and the addresses that git is held to. */
export async function resolvedAddress(guard: TargetGuard, { host }: GitAddress): Promise<readonly string[]> {
  try {
    return await guard.addressesOf(host);
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    const reasons = { TIMEOUT: 'TIMEOUT', UNREACHABLE: 'UNREACHABLE' } as const;
    const reason =
      error.reason in reasons ? reasons[error.reason as keyof typeof reasons] : 'ADDRESS_REFUSED';
    throw new GitError(reason, error.message, { cause: error });
  }
}

/** As curl and ssh want an address: IPv6 in brackets for curl. */
export function bracketed(address: string): string {
  return isIP(address) === 6 ? `[${address}]` : address;
}
