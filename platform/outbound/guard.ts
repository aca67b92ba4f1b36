import { isIP, type LookupFunction } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Logger } from '../logger.js';
import { isPublicAddress, PrivateTargets } from './addresses.js';
import { OutboundError } from './errors.js';
import { resolveByDns, resolveBySystem, type Resolve } from './resolve.js';

export interface GuardOptions {
  /** The setting ALLOW_PRIVATE_TARGETS: CIDRs, addresses, host names and `*.domain`s let through. */
  allowPrivateTargets: readonly string[];
  /** Instead of DNS; its answers are checked all the same. */
  resolve?: Resolve | undefined;
  logger: Logger;
}

/** What kind of URL is taken. */
export interface UrlRules {
  httpsOnly?: boolean | undefined;
  /** Only these ports. Without it: 80, 443 and those from 1024 on, so that no mail or shell server is spoken to. */
  ports?: readonly number[] | undefined;
}

/** A URL whose host was found to be a target that the panel may talk to, and what it resolved to just now. */
export interface CheckedTarget {
  url: URL;
  /**
   * For a program that can be pinned to them (git's `http.curloptResolve`). Whatever resolves the name again has to go
   * through the guard again. Not to be shown to whoever gave the address.
   */
  addresses: readonly string[];
}

const resolveMs = 10_000;

/** Decides which addresses the panel may be sent to by its users. */
export class TargetGuard {
  private readonly privateTargets: PrivateTargets;

  constructor(private readonly options: GuardOptions) {
    this.privateTargets = new PrivateTargets(options.allowPrivateTargets);
  }

  /** Reads a URL; the WHATWG parser turns every other spelling of an IPv4 address into the usual one. */
  parse(text: string | URL, rules: UrlRules = {}): URL {
    let url: URL;
    try {
      url = new URL(text);
    } catch (cause) {
      throw new OutboundError('BAD_URL', 'The address must be an absolute URL', { cause });
    }
    const schemes = rules.httpsOnly ? ['https:'] : ['https:', 'http:'];
    if (!schemes.includes(url.protocol)) {
      throw new OutboundError('BAD_URL', `The address must begin with ${schemes.join('// or ')}//`);
    }
    if (url.username !== '' || url.password !== '') {
      throw new OutboundError('BAD_URL', 'The address must not hold a user name or password');
    }
    const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
    const isPortTaken = rules.ports
      ? rules.ports.includes(port)
      : port === 80 || port === 443 || port >= 1024;
    if (!isPortTaken) throw new OutboundError('TARGET_REFUSED', `Port ${port} may not be used`);
    return url;
  }

  /** For input: whether the address is one that a request may go to as things stand. A request checks it anew. */
  async check(text: string | URL, rules: UrlRules = {}): Promise<CheckedTarget> {
    const url = this.parse(text, rules);
    return { url, addresses: await this.addressesOf(hostOf(url)) };
  }

  /**
   * Resolves a host and answers its addresses if every single one may be talked to: an answer that mixes public and
   * private addresses is an attack, not a choice.
   */
  async addressesOf(host: string): Promise<readonly string[]> {
    const addresses = isIP(host) === 0 ? await this.resolve(host) : [host];
    if (addresses.length === 0) throw new OutboundError('UNREACHABLE', `${host} has no address`);
    const refused = addresses.filter((address) => !this.isAllowed(host, address));
    if (refused.length === 0) return addresses;
    this.options.logger.warn({ host, refused }, 'an outbound request to a private address was refused');
    throw new OutboundError('TARGET_REFUSED', `${host} is not a public address`);
  }

  private isAllowed(host: string, address: string): boolean {
    if (isPublicAddress(address) || this.privateTargets.hasAddress(address)) return true;
    return isIP(address) !== 0 && this.privateTargets.hasName(host);
  }

  private async resolve(host: string): Promise<readonly string[]> {
    const settled = new AbortController();
    // Whatever waits for a name would wait as long as its server pleases.
    const tooLate = sleep(resolveMs, undefined, { signal: settled.signal, ref: false }).then(() => {
      throw new OutboundError('TIMEOUT', `${host} took too long to resolve`);
    });
    try {
      return await Promise.race([this.ask(host), tooLate]);
    } catch (cause) {
      if (cause instanceof OutboundError) throw cause;
      throw new OutboundError('UNREACHABLE', `${host} could not be resolved`, { cause });
    } finally {
      tooLate.catch(() => undefined);
      settled.abort();
    }
  }

  private async ask(host: string): Promise<readonly string[]> {
    if (this.options.resolve) return this.options.resolve(host);
    if (this.privateTargets.hasName(host)) return resolveBySystem(host);
    const found = await resolveByDns(host);
    // Private names may live in /etc/hosts or under a search domain, where DNS alone does not see them.
    return found.length > 0 || this.privateTargets.isEmpty ? found : resolveBySystem(host);
  }
}

/** A `lookup` for net, tls, http and libraries built on them that knows just these addresses, whatever it is asked for. */
export function pinnedLookup(addresses: readonly string[]): LookupFunction {
  return (hostname, options, callback) => answerLookup(addresses, hostname, options, callback);
}

/** The URL's host as sockets want it: an IPv6 address without its brackets. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

function answerLookup(
  addresses: readonly string[],
  hostname: string,
  options: Parameters<LookupFunction>[1],
  callback: Parameters<LookupFunction>[2],
): void {
  const wanted = options.family === 'IPv4' ? 4 : options.family === 'IPv6' ? 6 : (options.family ?? 0);
  const found = addresses
    .map((address) => ({ address, family: isIP(address) }))
    .filter(({ family }) => wanted === 0 || family === wanted);
  const [first] = found;
  if (!first) callback(new OutboundError('UNREACHABLE', `${hostname} has no address`), '', 0);
  else if (options.all) callback(null, found);
  else callback(null, first.address, first.family);
}
