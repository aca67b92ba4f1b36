import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';

import { bits, bool, der, integer, octets, oid, sequence, setOf, time, utf8 } from './der.js';

export interface Signed {
  /** PEM. */
  cert: string;
  key: string;
}

export interface Wanted {
  commonName: string;
  organizations?: readonly string[];
  /** Host names and addresses of a server. */
  names?: readonly string[];
  usage: 'authority' | 'server' | 'client';
  from: Date;
  until: Date;
}

const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'));
const usages = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const;

/** Makes a key and a certificate for it, signed by an authority, or by itself where that is what it becomes. */
export function certify(wanted: Wanted, authority?: Signed & { commonName: string }): Signed {
  const { publicKey, privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  const body = sequence(
    der(0xa0, integer(Buffer.of(2))),
    integer(serial),
    ecdsaWithSha256,
    nameOf(authority?.commonName ?? wanted.commonName),
    sequence(time(wanted.from), time(wanted.until)),
    nameOf(wanted.commonName, wanted.organizations),
    publicKey,
    der(0xa3, sequence(...extensions(wanted))),
  );
  const signature = sign('sha256', body, authority?.key ?? privateKey);
  const cert = sequence(body, ecdsaWithSha256, bits(signature));
  return { cert: pem(cert), key: privateKey };
}

function nameOf(commonName: string, organizations: readonly string[] = []): Buffer {
  const attribute = (id: string, value: string) => setOf(sequence(oid(id), utf8(value)));
  return sequence(
    ...organizations.map((value) => attribute('2.5.4.10', value)),
    attribute('2.5.4.3', commonName),
  );
}

function extensions({ usage, names = [] }: Wanted): Buffer[] {
  const extension = (id: string, isCritical: boolean, value: Buffer) =>
    sequence(oid(id), ...(isCritical ? [bool(true)] : []), octets(value));
  if (usage === 'authority')
    return [
      extension('2.5.29.19', true, sequence(bool(true))),
      // keyCertSign
      extension('2.5.29.15', true, bits(Buffer.of(0x04), 2)),
    ];
  const alternatives = names.map((name) =>
    isIP(name) === 4 ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name)),
  );
  return [
    // digitalSignature
    extension('2.5.29.15', true, bits(Buffer.of(0x80), 7)),
    extension('2.5.29.37', false, sequence(oid(usages[usage]))),
    ...(names.length === 0 ? [] : [extension('2.5.29.17', false, sequence(...alternatives))]),
  ];
}

function pem(cert: Buffer): string {
  const lines = cert.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
