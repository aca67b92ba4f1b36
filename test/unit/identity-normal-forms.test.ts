import { hash } from '@node-rs/argon2';
import { describe, expect, test } from 'vitest';

import { interactionOf } from '#subgraphs/identity/oauth/interaction.js';
import { normalPassword } from '#subgraphs/identity/password/normal-password.js';
import {
  hashPassword,
  isOutdated,
  isPassword,
  newPassword,
} from '#subgraphs/identity/password/password-hash.js';
import { bareCode } from '#subgraphs/identity/totp/bare-code.js';
import { emailAddress, normalEmail } from '#subgraphs/identity/user/email-address.js';

describe('e-mail addresses', () => {
  test.each([
    ['spaces around it', ' \u00a0ann@example.com\n', 'ann@example.com'],
    ['an international domain', 'ann@b\u00fccher.example', 'ann@xn--bcher-kva.example'],
    ['the same domain, decomposed and in capitals', 'ann@BU\u0308CHER.example', 'ann@xn--bcher-kva.example'],
    ['the dot of the root', 'ann@example.com.', 'ann@example.com'],
    ['an ideographic full stop', 'ann@example\u3002com', 'ann@example.com'],
    ['case before the at sign stays', 'Ann@Example.COM', 'Ann@example.com'],
    ['a word that is no address', ' ann ', 'ann'],
  ])('%s', (_name, typed, normal) => {
    expect(normalEmail(typed)).toBe(normal);
    expect(normalEmail(normal)).toBe(normal);
  });

  test.each([
    'ann@example.com/x',
    'ann@ex%61mple.com',
    'ann@exa\tmple.com',
    'ann@example.com:25',
    'ann@example.com#x',
  ])('what a URL would read as another domain is not made one: %j', (typed) => {
    expect(normalEmail(typed)).toBe(typed);
    expect(emailAddress.safeParse(typed).success).toBe(false);
  });
});

describe('passwords', () => {
  const composed = 'caf\u00e9 au lait, s\u2019il vous pla\u00eet';
  const decomposed = composed.normalize('NFD').replaceAll(' ', '\u2003');

  test('are the same in every form that looks the same, and in no other', () => {
    expect(normalPassword(decomposed)).toBe(composed);
    expect(normalPassword(` ${composed} `)).toBe(` ${composed} `);
    expect(normalPassword('\uff21')).not.toBe('A');
    expect(newPassword.parse(decomposed)).toBe(composed);
  });

  test('in either form match a hash of either, and one of the form as typed is made anew', async () => {
    const options = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
    const [ours, asTyped] = [await hashPassword(decomposed), await hash(decomposed, options)];
    expect(await isPassword(composed, ours)).toBe(true);
    expect(await isPassword(decomposed, ours)).toBe(true);
    expect(await isPassword(decomposed, asTyped)).toBe(true);
    expect(await isPassword(`${decomposed}!`, asTyped)).toBe(false);
    expect([await isOutdated(ours, decomposed), await isOutdated(ours, composed)]).toEqual([false, false]);
    expect(await isOutdated(asTyped, decomposed)).toBe(true);
  });

  test('are counted in their normal form', () => {
    expect(newPassword.safeParse('e\u0301'.repeat(11)).success).toBe(false);
    expect(newPassword.safeParse('e\u0301'.repeat(256)).success).toBe(true);
  });
});

test.each([
  ['123 456', '123456'],
  ['123-456', '123456'],
  ['12 34 56\u200b', '123456'],
  ['\uff11\uff12\uff13\u2013456', '123456'],
  ['abcd\u2014efgh \u2212 jkmn', 'abcdefghjkmn'],
])('the code %j is read as %s', (typed, bare) => {
  expect(bareCode(typed)).toBe(bare);
});

test('a request says how the user is to be asked, or is refused', () => {
  const nothing = { isSilent: false, isLoginWanted: false, maxAge: null };
  expect([
    interactionOf({}),
    interactionOf({ prompt: 'none' }),
    interactionOf({ prompt: ' login  consent', maxAge: 0 }),
    interactionOf({ prompt: 'select_account' }),
    interactionOf({ prompt: 'none login' }),
    interactionOf({ maxAge: -1 }),
    interactionOf({ maxAge: Number.NaN }),
  ]).toEqual([
    nothing,
    { ...nothing, isSilent: true },
    { ...nothing, isLoginWanted: true, maxAge: 0 },
    nothing,
    undefined,
    undefined,
    undefined,
  ]);
});
