import 'reflect-metadata';
import { randomUUID } from 'node:crypto';

import pg from 'pg';

import { Database } from '#platform/database/database.js';
import { JobBatch } from '#platform/jobs/enqueue.js';
import { silentLogger } from '#platform/logger.js';
import type { Sweep } from '#platform/membership/sweep.js';
import { appendToOutbox, type OutboxEvent } from '#platform/outbox/outbox.js';
import type { ReceivedBeat } from '#subgraphs/fleet/heartbeat/beat.js';
import type { Heartbeat } from '#subgraphs/fleet/heartbeat/heartbeat.rules.js';
import { fleetEntities } from '#subgraphs/fleet/subgraph.js';

import { createTestDatabase, type TestDatabase } from './panel.js';

/** Runs sweeps as the lease holder would, each run in a transaction of the jobs role, until nothing is left. */
export async function runSweep(database: Database, sweep: Sweep, now: Date): Promise<OutboxEvent[]> {
  const all: OutboxEvent[] = [];
  for (;;) {
    const outcome = await database.forJobs().transactional(async (em) => {
      const events: OutboxEvent[] = [];
      const jobs = new JobBatch();
      const publish = (event: OutboxEvent) => events.push(event);
      const answer = await sweep.run({ em, now, publish, enqueue: jobs.enqueue });
      const requestId = `sweep:${sweep.name}`;
      await appendToOutbox(em, database.area, events, { requestId, at: now });
      await jobs.send(em, database.area, { requestId });
      all.push(...events);
      return answer;
    });
    if (outcome === 'done') return all;
  }
}

export interface StoredInstance {
  tenantId: string;
  id: string;
}

/** Fleet's part of a database without a panel around it: for what is about rows and time alone. */
export interface FleetStore extends AsyncDisposable {
  database: Database;
  test: TestDatabase;
  sql<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  instance(tenantId?: string): Promise<StoredInstance>;
  stop(): Promise<void>;
}

/** Fleet's part of the database at `url`, as the application logs in to it. */
export async function openFleetDatabase(url: string): Promise<Database> {
  return Database.open({ area: 'fleet', url, entities: fleetEntities, poolSize: 4, logger: silentLogger });
}

export async function openFleetStore(): Promise<FleetStore> {
  const test = await createTestDatabase();
  const database = await openFleetDatabase(test.url);
  const owner = new pg.Pool({ connectionString: test.ownerUrl, max: 2 });
  owner.on('error', () => undefined);
  const stop = async () => {
    await database.close();
    await owner.end();
    await test.drop();
  };
  return {
    database,
    test,
    sql: async (text, values) => (await owner.query(text, values)).rows,
    async instance(tenantId = `org_${randomUUID()}`) {
      const id = `inst_${randomUUID()}`;
      await owner.query(
        `insert into fleet.instance (tenant_id, id, name, hostname, version, base_url, redirect_uris, tags,
           enrolled_at, enrollment_token_id)
         values ($1, $2, $2, 'host', '0.2.9', 'https://host', '{}', '{}', now(), 'etk')`,
        [tenantId, id],
      );
      return { tenantId, id };
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

export function receivedBeat(
  { tenantId, id }: StoredInstance,
  receivedAt: Date,
  more: Partial<Heartbeat> = {},
  generation = 1,
): ReceivedBeat {
  return {
    node: {
      kind: 'node',
      tenantId,
      instanceId: id,
      generation,
      expiresAt: Number.MAX_SAFE_INTEGER,
      credentialExpiresAt: Number.MAX_SAFE_INTEGER,
    },
    receivedAt,
    requestId: 'test',
    beat: {
      cpuPercent: 10,
      memoryPercent: 20,
      diskPercent: 30,
      appsCount: 1,
      cpuCores: 2,
      memoryGb: 4,
      version: '0.2.9',
      ...more,
    },
  };
}
