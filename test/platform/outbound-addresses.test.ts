import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { silentLogger } from '#platform/logger.js';
import { isPublicAddress } from '#platform/outbound/addresses.js';
import { OutboundError, type OutboundReason } from '#platform/outbound/errors.js';
import { pinnedLookup, TargetGuard } from '#platform/outbound/guard.js';

type Octets = readonly [number, number, number, number];

const guard = new TargetGuard({ allowPrivateTargets: [], logger: silentLogger });

async function reasonOf(work: Promise<unknown>): Promise<OutboundReason | 'ALLOWED'> {
  return work.then(
    () => 'ALLOWED' as const,
    (error: unknown) => {
      if (error instanceof OutboundError) return error.reason;
      throw error;
    },
  );
}

const byte = fc.integer({ min: 0, max: 255 });

/** Addresses that no user may reach: what is private, special or reserved in the registries of IANA. */
const privateIpv4: fc.Arbitrary<Octets> = fc.oneof(
  ...(
    [
      [0, byte], // "this network"
      [10, byte],
      [100, fc.integer({ min: 64, max: 127 })], // carrier-grade NAT
      [127, byte],
      [169, fc.constant(254)], // link-local, cloud metadata among it
      [172, fc.integer({ min: 16, max: 31 })],
      [192, fc.constant(168)],
      [198, fc.integer({ min: 18, max: 19 })], // benchmarking
      [fc.integer({ min: 224, max: 255 }), byte], // multicast, reserved, broadcast
    ] as const
  ).map(([first, second]) =>
    fc.tuple(typeof first === 'number' ? fc.constant(first) : first, second, byte, byte),
  ),
  fc.constantFrom<Octets>(
    [192, 0, 2, 1],
    [198, 51, 100, 7],
    [203, 0, 113, 9],
    [192, 0, 0, 192],
    [168, 63, 129, 16],
  ),
);

const hex = (value: number) => value.toString(16);
const pair = (high: number, low: number) => hex(high * 256 + low);

/** All the ways in which a URL may write one IPv4 address. */
const ipv4Spellings: readonly ((octets: Octets) => string)[] = [
  (o) => o.join('.'),
  (o) => `${o.join('.')}.`,
  (o) => String(number(o)),
  (o) => `0x${hex(number(o))}`,
  (o) => `0${number(o).toString(8)}`,
  (o) => o.map((octet) => `0${octet.toString(8)}`).join('.'),
  (o) => o.map((octet) => `0x${hex(octet)}`).join('.'),
  (o) => `0x${hex(o[0])}.0${o[1].toString(8)}.${o[2] * 256 + o[3]}`,
  (o) => `${o[0]}.${o[1] * 65_536 + o[2] * 256 + o[3]}`,
  // Full-width digits and dots, which IDNA maps to plain ones.
  (o) => o.join('.').replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
  (o) => o.join('\u3002'),
  (o) => o.join('.').replace(/\d/, (digit) => `%3${digit}`),
];

/** IPv6 addresses behind which a translator may find the IPv4 address. */
const ipv6Embeddings: readonly ((octets: Octets) => string)[] = [
  (o) => `::ffff:${o.join('.')}`,
  (o) => `::ffff:${pair(o[0], o[1])}:${pair(o[2], o[3])}`,
  (o) => `0:0:0:0:0:ffff:${pair(o[0], o[1])}:${pair(o[2], o[3])}`,
  (o) => `::FFFF:0:${o.join('.')}`,
  (o) => `::${o.join('.')}`,
  (o) => `64:ff9b::${o.join('.')}`,
  (o) => `64:ff9b:1::${pair(o[0], o[1])}:${pair(o[2], o[3])}`,
  (o) => `2002:${pair(o[0], o[1])}:${pair(o[2], o[3])}::1`,
  (o) => `2001:0:4136:e378:8000:63bf:${pair(255 - o[0], 255 - o[1])}:${pair(255 - o[2], 255 - o[3])}`,
];

const number = (o: Octets) => ((o[0] * 256 + o[1]) * 256 + o[2]) * 256 + o[3];

describe('addresses that are not public', () => {
  test('are refused in every spelling that a URL allows', async () => {
    await fc.assert(
      fc.asyncProperty(privateIpv4, fc.constantFrom(...ipv4Spellings), async (octets, spell) => {
        expect(await reasonOf(guard.check(`http://${spell(octets)}/`))).toBe('TARGET_REFUSED');
      }),
      { numRuns: 1_000 },
    );
  });

  test('are refused inside an IPv6 address', async () => {
    await fc.assert(
      fc.asyncProperty(privateIpv4, fc.constantFrom(...ipv6Embeddings), async (octets, embed) => {
        expect(await reasonOf(guard.check(`https://[${embed(octets)}]:8443/`))).toBe('TARGET_REFUSED');
      }),
      { numRuns: 1_000 },
    );
  });

  test('are refused when a name resolves to them, alone or among public ones', async () => {
    await fc.assert(
      fc.asyncProperty(
        privateIpv4,
        fc.constantFrom(...ipv4Spellings.slice(0, 1), ...ipv6Embeddings),
        fc.constantFrom(0, 1, 2),
        async (octets, spell, place) => {
          const answers = ['93.184.216.34', '2606:2800:21f:cb07:6820:80da:af6b:8b2c'];
          answers.splice(place, 0, spell(octets));
          const resolving = new TargetGuard({
            allowPrivateTargets: [],
            resolve: async () => answers,
            logger: silentLogger,
          });
          expect(await reasonOf(resolving.check('https://hooks.example.com/'))).toBe('TARGET_REFUSED');
        },
      ),
      { numRuns: 500 },
    );
  });

  test.each([
    '::',
    '::1',
    'fe80::1',
    'fec0::1',
    'fc00::1',
    'fd00:ec2::254',
    'ff02::1',
    '100::1',
    '2001:db8::1',
    '3fff::1',
    '2001:2::1',
    '2001:20::1',
    '5f00::1',
    '4000::1',
    'fe80::1%eth0',
    '2606:4700::1%eth0',
    '127.0.0.1:80',
    'localhost',
    '',
  ])('%s is not public', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

test.each([
  '1.1.1.1',
  '8.8.8.8',
  '93.184.216.34',
  '172.32.0.1',
  '100.128.0.1',
  '2606:4700:4700::1111',
  '2a01:4f8::1',
])('%s is public', (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

describe('URLs', () => {
  test.each([
    ['', 'BAD_URL'],
    ['example.com', 'BAD_URL'],
    ['/relative', 'BAD_URL'],
    ['ftp://example.com/', 'BAD_URL'],
    ['file:///etc/passwd', 'BAD_URL'],
    ['gopher://1.1.1.1/', 'BAD_URL'],
    ['https://user:secret@1.1.1.1/', 'BAD_URL'],
    ['https://token@1.1.1.1/', 'BAD_URL'],
    ['http://[fe80::1%25eth0]/', 'BAD_URL'],
    ['http://1.1.1.1:22/', 'TARGET_REFUSED'],
    ['http://1.1.1.1:25/', 'TARGET_REFUSED'],
    ['http://1.1.1.1:80/', 'ALLOWED'],
    ['https://1.1.1.1:6443/', 'ALLOWED'],
  ])('%j is %s', async (url, reason) => {
    expect(await reasonOf(guard.check(url))).toBe(reason);
  });

  test('may be narrowed to https and to some ports', async () => {
    expect(await reasonOf(guard.check('http://1.1.1.1/', { httpsOnly: true }))).toBe('BAD_URL');
    expect(await reasonOf(guard.check('https://1.1.1.1/', { httpsOnly: true }))).toBe('ALLOWED');
    expect(await reasonOf(guard.check('https://1.1.1.1:8443/', { ports: [443] }))).toBe('TARGET_REFUSED');
    expect(await reasonOf(guard.check('https://1.1.1.1:22/', { ports: [22] }))).toBe('ALLOWED');
  });
});

describe('what an operator lets through', () => {
  const letting = (allowPrivateTargets: string[], answers: string[] = []) =>
    new TargetGuard({ allowPrivateTargets, resolve: async () => answers, logger: silentLogger });

  test('is what its CIDRs hold, and no more', async () => {
    const open = letting(['10.1.0.0/16', ' 192.168.7.7', 'fd12::/16', '']);
    const answers = await Promise.all(
      [
        '10.1.2.3',
        '192.168.7.7',
        '[fd12::1]',
        '10.2.0.1',
        '192.168.7.8',
        '[fd13::1]',
        '[::ffff:10.1.2.3]',
      ].map(async (host) => reasonOf(open.check(`http://${host}/`))),
    );
    expect(answers).toEqual([
      ...Array<string>(3).fill('ALLOWED'),
      ...Array<string>(4).fill('TARGET_REFUSED'),
    ]);
  });

  test('is what its names resolve to, and no other name that resolves to the same', async () => {
    const open = letting(['git.internal', '*.corp.example'], ['10.0.0.5']);
    const answers = await Promise.all(
      [
        'git.internal',
        'GIT.internal.',
        'a.corp.example',
        'a.b.corp.example',
        'corp.example',
        'evilcorp.example',
        'x.git.internal',
      ].map(async (host) => reasonOf(open.check(`http://${host}/`))),
    );
    expect(answers).toEqual([
      ...Array<string>(4).fill('ALLOWED'),
      ...Array<string>(3).fill('TARGET_REFUSED'),
    ]);
  });

  test('must be spelled in a way that is understood', () => {
    expect(() => letting(['10.0.0.0/99'])).toThrow(
      '10.0.0.0/99 is neither a CIDR, an address nor a host name',
    );
    expect(() => letting(['http://x/'])).toThrow('neither a CIDR');
  });

  test('is asked of the operating system too, where private names live', async () => {
    const open = new TargetGuard({ allowPrivateTargets: ['localhost'], logger: silentLogger });
    expect((await open.check('http://localhost/')).addresses).toContain('127.0.0.1');
    expect(await reasonOf(guard.check('http://localhost/'))).not.toBe('ALLOWED');
  });
});

test('no message tells what a name resolved to, or why a resolver failed', async () => {
  const inside = new TargetGuard({
    allowPrivateTargets: [],
    resolve: async () => ['10.9.8.7'],
    logger: silentLogger,
  });
  await expect(inside.check('http://secret.internal/')).rejects.toThrow(
    /^secret\.internal is not a public address$/,
  );
  const failing = new TargetGuard({
    allowPrivateTargets: [],
    resolve: async () => Promise.reject(new Error('SERVFAIL from 10.0.0.53')),
    logger: silentLogger,
  });
  await expect(failing.check('http://secret.internal/')).rejects.toThrow(
    /^secret\.internal could not be resolved$/,
  );
});

test('a lookup of pinned addresses answers as node asks', async () => {
  const answers = ['93.184.216.34', '2606:2800:21f:cb07:6820:80da:af6b:8b2c'];
  const ask = async (options: object) =>
    new Promise((resolve) => {
      pinnedLookup(answers)('example.com', options, (error, address, family) =>
        resolve(error ?? [address, family]),
      );
    });
  expect(await ask({ all: true })).toEqual([
    [
      { address: answers[0], family: 4 },
      { address: answers[1], family: 6 },
    ],
    undefined,
  ]);
  expect(await ask({})).toEqual([answers[0], 4]);
  expect(await ask({ family: 6 })).toEqual([answers[1], 6]);
});
