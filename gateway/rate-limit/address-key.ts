import ipaddr from 'ipaddr.js';

/** An IPv6 client has a whole /64 to choose addresses from, so that is what counts as one. */
export function addressKey(address: string): string {
  if (!ipaddr.IPv6.isValid(address)) return address;
  const network = ipaddr.IPv6.parse(address);
  return network.isIPv4MappedAddress()
    ? network.toIPv4Address().toString()
    : network.parts.slice(0, 4).join(':');
}
