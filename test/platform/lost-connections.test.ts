import 'reflect-metadata';
import { randomUUID } from 'node:crypto';

import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

import { Connections, type TakenClient } from '#platform/database/connections.js';
import { Database } from '#platform/database/database.js';
import { isPassing } from '#platform/database/outage.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';
import { silentLogger } from '#platform/logger.js';

import { createTestDatabase, type TestDatabase } from '../support/panel.js';
import { run } from './support/cluster.js';

const kills = 200;
const sizes = { requests: 8, background: 2 };
const tenantId = 'org_load';
const commitLock = 1;

/** Connections whose server process may be killed between being taken and being used. */
class Sabotaged extends Connections {
  beforeUse: ((client: TakenClient) => Promise<void>) | undefined;

  override async take(): Promise<TakenClient> {
    const client = await super.take();
    const sabotage = this.beforeUse;
    this.beforeUse = undefined;
    await sabotage?.(client);
    return client;
  }
}

let home: TestDatabase;
let holder: pg.Client;
let owner: pg.Pool;
let connections: Sabotaged;
let fleet: Database;
beforeAll(async () => {
  home = await createTestDatabase();
  owner = new pg.Pool({ connectionString: home.ownerUrl, max: 4 });
  owner.on('error', () => undefined);
  holder = new pg.Client({ connectionString: home.ownerUrl });
  await holder.connect();
  await run(holder, [
    'create table fleet.probe (tenant_id text not null, id text not null, primary key (tenant_id, id))',
    ...tenantTableSql('fleet', 'probe'),
    // A commit of a row named `held...` waits for whoever has the lock.
    `create function fleet.hold() returns trigger language plpgsql as
       $$ begin if new.id like 'held%' then perform pg_advisory_xact_lock(${commitLock}); end if; return null; end $$`,
    `create constraint trigger hold after insert on fleet.probe deferrable initially deferred
       for each row execute function fleet.hold()`,
    `select pg_advisory_lock(${commitLock})`,
  ]);
  connections = new Sabotaged(home.url, sizes);
  fleet = await Database.open({ area: 'fleet', connections, entities: [], logger: silentLogger });
});
afterAll(async () => {
  await fleet.close();
  await connections.close();
  await holder.end();
  await owner.end();
  await home.drop();
});

const insert = 'insert into fleet.probe (tenant_id, id) values (?, ?)';
const kill = async (pid: unknown) => owner.query('select pg_terminate_backend($1::int, 5000)', [pid]);

/** Writes a row, with something done between its statements and before its end. */
async function write(
  id: string,
  {
    inside = async () => {},
    last = async () => {},
  }: Partial<Record<'inside' | 'last', (pid: number) => Promise<unknown>>>,
): Promise<void> {
  await fleet.forTenant(tenantId).transactional(async (em) => {
    const [row] = await em.execute<{ pid: number }[]>('select pg_backend_pid() as pid');
    await inside(row!.pid);
    await em.execute(insert, [tenantId, id]);
    await last(row!.pid);
  });
}

/** Each loses the connection of one transaction or read at the moment of its name. */
const accidents: Record<string, (id: string) => Promise<void>> = {
  'at BEGIN': async (id) => {
    connections.beforeUse = async (client) => {
      await kill((client as unknown as { processID: number }).processID);
    };
    await write(id, {});
  },
  'inside a transaction': async (id) => write(id, { inside: kill }),
  'before COMMIT': async (id) => write(id, { last: kill }),
  'during COMMIT': async (id) => {
    let pid = 0;
    const written = write(`held ${id}`, { last: async (own) => (pid = own) });
    const isCommitting = `pid = $1 and query = 'commit' and wait_event_type = 'Lock'`;
    await Promise.all([written, killWhen(isCommitting, () => pid)]);
  },
  'during a read': async () => {
    const name = randomUUID();
    const read = fleet.select(tenantId, `select pg_sleep(30), '${name}'`, []);
    await Promise.all([read, killWhen(`query like '%' || $1::text || '%'`, () => name)]);
  },
};

/** Kills the server process for which the condition holds, as soon as there is one. */
async function killWhen(condition: string, value: () => unknown): Promise<void> {
  const find = async () => {
    const { rows } = await owner.query<{ pid: number }>(
      `select pid from pg_stat_activity where pid <> pg_backend_pid() and ${condition}`,
      [value()],
    );
    return rows[0]?.pid;
  };
  await expect.poll(find, { interval: 5 }).toBeDefined();
  await kill(await find());
}

test(`a pool is whole after ${kills} lost connections under load, and nothing acknowledged is lost`, async () => {
  const acknowledged: string[] = [];
  const refused: string[] = [];
  let isOver = false;
  onTestFinished(() => void (isOver = true));
  const load = async (work: (id: string) => Promise<unknown>) => {
    while (!isOver) {
      await work(randomUUID()).catch((error: unknown) => {
        if (!isPassing(error)) throw error;
      });
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const writes = async (id: string) => {
    await write(id, {});
    acknowledged.push(id);
  };
  const reads = async () => fleet.select(tenantId, 'select count(*) from fleet.probe', []);
  const entities = async () => fleet.forTenant(tenantId).execute('select count(*) from fleet.probe');
  const loads = [load(writes), load(reads), load(entities)];

  const kinds = Object.entries(accidents);
  let count = 0;
  const lane = async () => {
    while (count < kills) {
      const [name, happen] = kinds[count % kinds.length]!;
      const id = `${name} ${(count += 1)} ${randomUUID()}`;
      const outcome = await happen(id).then(
        () => 'acknowledged',
        (error: unknown) => (isPassing(error) ? 'an outage' : error),
      );
      // The load may have been hit in its place, at BEGIN.
      const isExpected = outcome === 'an outage' || (outcome === 'acknowledged' && name === 'at BEGIN');
      expect([name, outcome, isExpected]).toEqual([name, outcome, true]);
      if (outcome === 'acknowledged') acknowledged.push(id);
      else refused.push(id);
    }
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
  isOver = true;
  await Promise.all(loads);

  const stored = await owner.query<{ id: string }>('select id from fleet.probe');
  const ids = new Set(stored.rows.map(({ id }) => id));
  expect(acknowledged.filter((id) => !ids.has(id))).toEqual([]);
  expect(refused.filter((id) => ids.has(id) || ids.has(`held ${id}`))).toEqual([]);
  expect(acknowledged.length).toBeGreaterThan(50);

  const all = await Promise.all(Array.from({ length: sizes.requests }, async () => connections.take()));
  const answers = await Promise.all(all.map(async (client) => client.query('select 1 as one')));
  expect(answers.map(({ rows }) => rows)).toEqual(all.map(() => [{ one: 1 }]));
  for (const client of all) client.release();
  expect(connections.stats()).toContainEqual({
    pool: 'requests',
    taken: 0,
    idle: sizes.requests,
    waiting: 0,
    max: sizes.requests,
  });
});
