import 'reflect-metadata';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { createTestDatabase, startTestPanel, type TestPanel } from '../support/panel.js';
import { SwitchedAddress } from '../support/switched-address.js';
import { ordinaryBeat, until, type Node, type Tenant } from '../support/world.js';

const commitLock = 4_711;
const words = /may have been done or not.*same Idempotency-Key/;

let address: SwitchedAddress;
let panel: TestPanel;
let tenant: Tenant;
let node: Node;
let holder: pg.Client;
beforeAll(async () => {
  const database = await createTestDatabase();
  address = await SwitchedAddress.open(Number(new URL(database.ownerUrl).port));
  panel = await startTestPanel({ DATABASE_URL: address.through(database.url) }, 'in process', database);
  tenant = await panel.world.tenant();
  node = await tenant.node();
  await node.beat();
  // A COMMIT then takes as long as it takes while somebody holds the lock, as it does while the synchronous standby is away:
  // no deadline of the server's ends it.
  await panel.sql(`create function public.hold() returns trigger language plpgsql security definer
    set lock_timeout = 0 as
    $$ begin perform pg_advisory_xact_lock(${commitLock}); return null; end $$`);
  for (const [table, when] of [
    ['fleet.enrollment_token', 'insert'],
    ['fleet.command', 'insert'],
    ['fleet.instance', 'update'],
  ])
    await panel.sql(`create constraint trigger hold after ${when} on ${table} deferrable initially deferred
      for each row execute function public.hold()`);
  holder = new pg.Client({ connectionString: database.ownerUrl });
  await holder.connect();
});
afterAll(async () => {
  await holder.end();
  await panel.stop();
  await address[Symbol.asyncDispose]();
});

interface Outcome {
  status: number;
  retryAfter: string | null;
  body: Record<string, unknown>;
}

async function ask(
  path: string,
  token: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<Outcome> {
  const response = await fetch(panel.panel.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    body: (await response.json()) as Record<string, unknown>,
  };
}

const mutate = async (query: string) => ask('/graphql', tenant.token, { query });
const command = () => ({ instance_ids: [node.id], command: 'run_diagnostics' });
const commands = async () =>
  panel.sql<{ id: string }>('select id from fleet.command where tenant_id = $1', [tenant.id]);
const tokensNamed = async (name: string) =>
  (await panel.sql('select 1 from fleet.enrollment_token where name = $1', [name])).length;

/** What both ways of asking say of what may be done. */
const inDoubtOverRest = { status: 502, retryAfter: null, body: { error: expect.stringMatching(words) } };
const inDoubtOverGraphQL = (field: string) => ({
  status: 502,
  retryAfter: null,
  body: {
    data: null,
    errors: [
      {
        message: expect.stringMatching(words),
        path: [field],
        extensions: { code: 'UNAVAILABLE', reason: 'OUTCOME_UNKNOWN' },
      },
    ],
  },
});

test('a COMMIT that outlasts its request is told as one that may be done; it is, and with the same key no second time', async () => {
  await holder.query('select pg_advisory_lock($1)', [commitLock]);
  const key = { 'idempotency-key': 'once' };
  const [overRest, overGraphQL, beat, sent] = await Promise.all([
    ask('/api/fleet/tokens', tenant.token, { name: 'over REST' }),
    mutate('mutation { createEnrollmentToken(input: { name: "over GraphQL" }) { name } }'),
    ask('/api/agent/heartbeat', node.credential, ordinaryBeat),
    ask('/api/fleet/commands', tenant.token, command(), key),
  ]);
  expect(overRest).toEqual(inDoubtOverRest);
  expect(sent).toEqual(inDoubtOverRest);
  expect(overGraphQL).toEqual(inDoubtOverGraphQL('createEnrollmentToken'));
  // To beat twice does no harm, and a node that is not told when comes later than it should.
  expect([beat.status, beat.retryAfter]).toEqual([503, expect.stringMatching(/^\d+$/)]);

  await holder.query('select pg_advisory_unlock($1)', [commitLock]);
  await until(async () => (await commands()).length === 1, 'the command to be committed');
  await expect.poll(async () => tokensNamed('over REST')).toBe(1);
  await expect.poll(async () => tokensNamed('over GraphQL')).toBe(1);
  const again = await ask('/api/fleet/commands', tenant.token, command(), key);
  const [kept] = await commands();
  expect([again.status, again.body['id']]).toEqual([201, kept?.id]);
  expect(await commands()).toHaveLength(1);
}, 60_000);

test('a connection that is lost between a COMMIT and its answer leaves a mutation in doubt', async () => {
  const cut = address.cutAfter('lost with its answer', 'commit');
  expect(await ask('/api/fleet/tokens', tenant.token, { name: 'lost with its answer' })).toEqual(
    inDoubtOverRest,
  );
  await cut;
  await expect.poll(async () => tokensNamed('lost with its answer')).toBe(1);
});

test('a connection that is lost before the COMMIT leaves nothing done, and the caller is told to come again', async () => {
  const cut = address.cutAfter('insert into "fleet"."enrollment_token"');
  const answer = await ask('/api/fleet/tokens', tenant.token, { name: 'never' });
  await cut;
  expect([answer.status, answer.retryAfter]).toEqual([503, '5']);
  expect(await tokensNamed('never')).toBe(0);
});

test('what only reads is asked for again, wherever its connection is lost', async () => {
  const cut = address.cutAfter('from "fleet"."enrollment_token"', 'commit');
  const answer = await ask('/graphql', tenant.token, {
    query: '{ enrollmentTokens { totalCount nodes { id } } }',
  });
  await cut;
  expect([answer.status, answer.retryAfter]).toEqual([503, '5']);
});

test('a mutation that is done, and whose answer cannot be read then, is not told to come again', async () => {
  const cut = address.cutAfter('from fleet.instance_count where tenant_id');
  const answer = await mutate(
    'mutation { updateProfile(input: { name: "Done" }) { name tenant { instanceCounts { total } } } }',
  );
  await cut;
  expect(answer).toEqual({
    status: 200,
    retryAfter: null,
    body: {
      data: { updateProfile: { name: 'Done', tenant: { instanceCounts: null } } },
      errors: [
        {
          message: expect.stringMatching(words),
          path: ['updateProfile', 'tenant', 'instanceCounts'],
          extensions: { code: 'UNAVAILABLE', reason: 'OUTCOME_UNKNOWN' },
        },
      ],
    },
  });
});

test('of two mutations in one document the second is not told to come again once the first is done', async () => {
  const cut = address.cutAfter('second of two');
  const answer = await mutate(`mutation {
    a: createEnrollmentToken(input: { name: "first of two" }) { name }
    b: createEnrollmentToken(input: { name: "second of two" }) { name }
  }`);
  await cut;
  expect(answer).toEqual(inDoubtOverGraphQL('b'));
  expect([await tokensNamed('first of two'), await tokensNamed('second of two')]).toEqual([1, 0]);
});
