import { isIP } from 'node:net';

import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

// All of IPv6 that IANA hands out for the public internet. Some of the rest has no range of its own in ipaddr.js and can
// embed an IPv4 address that a translator on the way would follow, as ::/96 does.
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');
const documentation6 = ipaddr.IPv6.parseCIDR('3fff::/20');

// Unicast by every registry, yet answered by the machine that the panel runs on: Azure's host agent.
const hostAgents = new Set(['168.63.129.16']);

/**
 * Whether an address is a machine on the public internet. Text that is not a plain address is not: a zone, a port and
 * other spellings than the resolver's own stay outside.
 */
export function isPublicAddress(text: string): boolean {
  const address = parseAddress(text);
  if (!address || address.range() !== 'unicast') return false;
  if (address.kind() === 'ipv4') return !hostAgents.has(address.toString());
  return address.match(globalUnicast) && !address.match(documentation6);
}

/** What an operator lets through beside public addresses: CIDRs, single addresses, host names, `*.` and a domain. */
export class PrivateTargets {
  private readonly ranges: (readonly [Address, number])[] = [];
  private readonly names = new Set<string>();
  private readonly domains: string[] = [];

  constructor(entries: readonly string[]) {
    for (const entry of entries.map((text) => text.trim().toLowerCase()).filter(Boolean)) this.add(entry);
  }

  get isEmpty(): boolean {
    return this.ranges.length === 0 && this.names.size === 0 && this.domains.length === 0;
  }

  /** Whether whatever the name resolves to is let through. */
  hasName(hostname: string): boolean {
    const name = hostname.toLowerCase().replace(/\.$/, '');
    return this.names.has(name) || this.domains.some((domain) => name.endsWith(domain));
  }

  hasAddress(text: string): boolean {
    const address = parseAddress(text);
    return (
      address !== undefined &&
      this.ranges.some(([range, bits]) => range.kind() === address.kind() && address.match(range, bits))
    );
  }

  private add(entry: string): void {
    if (ipaddr.isValidCIDR(entry)) this.ranges.push(ipaddr.parseCIDR(entry));
    else if (isIP(entry) !== 0) this.ranges.push([ipaddr.parse(entry), isIP(entry) === 4 ? 32 : 128]);
    else if (/^\*\.[a-z0-9.-]+$/.test(entry)) this.domains.push(entry.slice(1));
    else if (/^[a-z0-9_][a-z0-9._-]*$/.test(entry)) this.names.add(entry);
    else throw new Error(`${entry} is neither a CIDR, an address nor a host name`);
  }
}

function parseAddress(text: string): Address | undefined {
  return isIP(text) === 0 || text.includes('%') ? undefined : ipaddr.parse(text);
}
