import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

/**
 * Whose `X-Forwarded-For` counts: nobody's (false), everybody's (true), that many proxies in front of us, or the
 * proxies at these addresses or subnets (`10.0.0.0/8`).
 */
export type TrustProxy = boolean | number | readonly string[];

/** The nearest address on the way to the client that is not a trusted proxy. */
export function clientAddress(request: IncomingMessage, trustProxy: TrustProxy): string {
  const forwarded = String(request.headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((address) => plain(address.trim()))
    .reverse();
  let address = plain(request.socket.remoteAddress ?? '');
  for (const [hop, next] of forwarded.entries()) {
    // Anything but an address was not written by a proxy of ours.
    if (!isTrusted(address, hop, trustProxy) || isIP(next) === 0) break;
    address = next;
  }
  return address;
}

function isTrusted(address: string, hop: number, trustProxy: TrustProxy): boolean {
  if (typeof trustProxy === 'boolean') return trustProxy;
  if (typeof trustProxy === 'number') return hop < trustProxy;
  return isIP(address) !== 0 && listOf(trustProxy).check(address, family(address));
}

const lists = new WeakMap<readonly string[], BlockList>();

function listOf(proxies: readonly string[]): BlockList {
  let list = lists.get(proxies);
  if (!list) {
    list = new BlockList();
    for (const proxy of proxies) {
      const [address = '', prefix] = proxy.split('/');
      if (prefix === undefined) list.addAddress(address, family(address));
      else list.addSubnet(address, Number(prefix), family(address));
    }
    lists.set(proxies, list);
  }
  return list;
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

/** IPv4 clients of a dual-stack socket show up as `::ffff:192.0.2.1`. */
function plain(address: string): string {
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
}
