import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv4, type Socket } from 'node:net';

/**
 * Whose `X-Forwarded-For` counts: nobody's (false), everybody's (true), that many proxies in front of us, or the
 * proxies at these addresses or subnets (`10.0.0.0/8`).
 */
export type TrustProxy = boolean | number | readonly string[];

/** The nearest address on the way to the client that is not a trusted proxy. */
export function clientAddress(request: IncomingMessage, trustProxy: TrustProxy): string {
  if (request.headers['x-forwarded-for'] === undefined) return socketAddress(request.socket);
  const forwarded = String(request.headers['x-forwarded-for'] ?? '')
    .split(',')
    .map(plain)
    .reverse();
  let address = socketAddress(request.socket);
  for (const [hop, next] of forwarded.entries()) {
    // Anything but an address was not written by a proxy of ours.
    if (!isTrusted(address, hop, trustProxy) || isIP(next) === 0) break;
    address = next;
  }
  return address;
}

const socketAddresses = new WeakMap<Socket, string>();

/** Connections are kept for many requests. */
function socketAddress(socket: Socket): string {
  let address = socketAddresses.get(socket);
  if (address === undefined) {
    address = plain(socket.remoteAddress ?? '');
    // A socket that is gone already does not know it any more, or not yet.
    if (address !== '') socketAddresses.set(socket, address);
  }
  return address;
}

function isTrusted(address: string, hop: number, trustProxy: TrustProxy): boolean {
  if (typeof trustProxy === 'boolean') return trustProxy;
  if (typeof trustProxy === 'number') return hop < trustProxy;
  return isIP(address) !== 0 && Proxies.at(trustProxy).have(address);
}

// Of addresses that were looked up; those in front of a panel are a handful.
const mostRemembered = 1_000;

/** Asking a BlockList takes as long as all else that is done for a client's address. */
class Proxies {
  private static readonly lists = new WeakMap<readonly string[], Proxies>();
  private readonly list = new BlockList();
  private readonly asked = new Map<string, boolean>();

  private constructor(written: readonly string[]) {
    for (const proxy of written) {
      const [address = '', prefix] = proxy.split('/');
      if (prefix === undefined) this.list.addAddress(address, family(address));
      else this.list.addSubnet(address, Number(prefix), family(address));
    }
  }

  static at(written: readonly string[]): Proxies {
    let proxies = this.lists.get(written);
    if (!proxies) this.lists.set(written, (proxies = new Proxies(written)));
    return proxies;
  }

  have(address: string): boolean {
    let isOne = this.asked.get(address);
    if (isOne === undefined) {
      isOne = this.list.check(address, family(address));
      if (this.asked.size >= mostRemembered) this.asked.clear();
      this.asked.set(address, isOne);
    }
    return isOne;
  }
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

/** As proxies write it: some add the port, and put IPv6 in brackets or the whole in quotes. */
function plain(written: string): string {
  const trimmed = written.trim();
  if (isIPv4(trimmed)) return trimmed;
  const unquoted = trimmed.replace(/^"(.*)"$/, '$1');
  const inBrackets = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(unquoted)?.[1];
  const address = inBrackets ?? unquoted.replace(/^(\d+\.\d+\.\d+\.\d+):\d{1,5}$/, '$1');
  // IPv4 clients of a dual-stack socket show up as `::ffff:192.0.2.1`; a zone means something on one machine only.
  const mapped = address.toLowerCase().startsWith('::ffff:') ? address.slice(7) : '';
  return isIP(mapped) === 4 ? mapped : address.replace(/%.*$/, '');
}

/** The private networks that proxies' users know by name. */
const named: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};

/**
 * Reads TRUST_PROXY: `true`, `false`, a number of proxies in front of the panel, or addresses, subnets and the names
 * above, separated by commas. Throws in words for the operator.
 */
export function parseTrustProxy(text: string): TrustProxy {
  if (text === 'true' || text === 'false') return text === 'true';
  if (/^\d{1,3}$/.test(text)) return Number(text);
  return text.split(',').flatMap((item) => {
    const entry = item.trim();
    if (Object.hasOwn(named, entry)) return named[entry]!;
    if (isNetwork(entry)) return entry;
    throw new Error(
      'must be true, false, a number of proxies, or addresses and subnets separated by commas, ' +
        `for which ${Object.keys(named).join(', ')} stand as well; "${entry}" is none of these`,
    );
  });
}

function isNetwork(entry: string): boolean {
  const [address = '', prefix, ...more] = entry.split('/');
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  if (more.length > 0 || bits < 0 || address.includes('%')) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits);
}
