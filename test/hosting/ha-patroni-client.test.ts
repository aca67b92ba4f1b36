import { expect, test } from 'vitest';

import { PatroniClient } from '#subgraphs/hosting/ha/patroni/client.js';

import { PatroniMember } from './support/patroni-member.js';

test('a switchover is asked of the next member where the name of the one before leads nowhere', async () => {
  await using there = await PatroniMember.start();
  await new PatroniClient(['http://patroni-1.invalid:8008', there.url]).lead('pg-1', 'pg-2');
  expect(there.asked).toEqual(['POST /switchover']);
}, 60_000);

test('the member that answered last is asked to switch, and no other one', async () => {
  await using first = await PatroniMember.start();
  await using second = await PatroniMember.start();
  const client = new PatroniClient([first.url, second.url]);
  await first.close();
  await client.view();
  await first.open();
  await client.lead('pg-1', 'pg-2');
  expect(second.asked).toContain('POST /switchover');
  expect(first.asked).toEqual([]);
}, 60_000);
