import 'reflect-metadata';
import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll } from 'vitest';

import type { OutboxEvent } from '#platform/outbox/outbox.js';
import { evaluateSweep } from '#subgraphs/fleet/alert/evaluate.job.js';
import type { Heartbeat } from '#subgraphs/fleet/heartbeat/heartbeat.rules.js';
import { HeartbeatIngest } from '#subgraphs/fleet/heartbeat/ingest.job.js';
import { expirySweep } from '#subgraphs/fleet/instance/instance-expiry.job.js';

import { TestClock } from '../../../support/clock.js';
import {
  openFleetStore,
  receivedBeat,
  runSweep,
  type FleetStore,
  type StoredInstance,
} from '../../../support/fleet-store.js';
import { nobodySuspended } from '../../support/suspension.js';

const evaluate = evaluateSweep(30);

export interface StoredAlert {
  rule: string;
  component: string;
  status: string;
  count: number;
}

/** Fleet's rows and the evaluation of alerts, with time in the test's hand: what is about rules and time alone. */
export class AlertBench {
  readonly clock = new TestClock();
  store!: FleetStore;
  private ingest!: HeartbeatIngest;

  constructor() {
    beforeAll(async () => {
      this.store = await openFleetStore();
      this.ingest = new HeartbeatIngest(this.store.database, this.clock, 30);
    });
    afterAll(async () => {
      await this.ingest.stop();
      await this.store.stop();
    });
  }

  async node(tenantId?: string): Promise<BenchNode> {
    return new BenchNode(this, await this.store.instance(tenantId));
  }

  async beat(instance: StoredInstance, more: Partial<Heartbeat>): Promise<void> {
    const beat = receivedBeat(instance, this.clock.now(), more);
    const [outcome] = await this.ingest.store([beat]);
    if (outcome && 'error' in outcome) throw outcome.error;
  }

  /** What the lease holder does by itself every few seconds; answers the changes of alerts that it published. */
  async evaluate(): Promise<OutboxEvent[]> {
    await runSweep(this.store.database, expirySweep(nobodySuspended), this.clock.now());
    return runSweep(this.store.database, evaluate, this.clock.now());
  }

  /** Moves on by `seconds`, looking every 5 of them as the panel does. */
  async pass(seconds: number): Promise<void> {
    for (const end = this.clock.now().getTime() + seconds * 1000; this.clock.now().getTime() < end;) {
      await this.clock.advance(Math.min(5_000, end - this.clock.now().getTime()));
      await this.evaluate();
    }
  }

  /** Sets a rule of a tenant, as `updateAlertRule` stores it. */
  async rule(tenantId: string, kind: string, settings: Partial<Record<string, unknown>>): Promise<void> {
    const rule = {
      is_enabled: true,
      severity: 'WARNING',
      threshold: 90,
      for_seconds: 0,
      keep: 60,
      ...settings,
    };
    await this.store.sql(
      `insert into fleet.alert_rule values ($1, $2, $3, $4, $5, $6, $7, now(), 'usr_test')
       on conflict (tenant_id, kind) do update set is_enabled = excluded.is_enabled, threshold = excluded.threshold`,
      [tenantId, kind, rule.is_enabled, rule.severity, rule.threshold, rule.for_seconds, rule.keep],
    );
  }

  /** A static group of these instances; answers its id. */
  async group(tenantId: string, ...instanceIds: string[]): Promise<string> {
    const id = `grp_${randomUUID()}`;
    await this.liveGroup(tenantId, id, null);
    for (const instanceId of instanceIds)
      await this.store.sql('insert into fleet.instance_group_member values ($1, $2, $3)', [
        tenantId,
        id,
        instanceId,
      ]);
    return id;
  }

  /** A live group, or with null for its filter a static one. */
  async liveGroup(tenantId: string, id: string, filter: object | null): Promise<void> {
    await this.store.sql(`insert into fleet.instance_group values ($1, $2, $2, $3, $4, 'usr_test', now())`, [
      tenantId,
      id,
      filter ? 'LIVE' : 'STATIC',
      filter,
    ]);
  }

  /** Sets an override, as `overrideAlertRule` stores it. */
  async override(
    tenantId: string,
    kind: string,
    groupId: string,
    { priority = 10, ...settings }: { priority?: number } & Partial<Record<string, unknown>>,
  ): Promise<void> {
    const columns = ['is_enabled', 'severity', 'threshold', 'for_seconds', 'keep_firing_for_seconds'];
    await this.store.sql(
      `insert into fleet.alert_rule_override values ($1, $2, $3, $4, $5, $6, $7, $8, $9, now(), 'usr_test')
       on conflict (tenant_id, kind, group_id) do update set is_enabled = excluded.is_enabled,
         severity = excluded.severity, threshold = excluded.threshold, priority = excluded.priority`,
      [tenantId, kind, groupId, priority, ...columns.map((column) => settings[column] ?? null)],
    );
  }
}

/** A node, and the alerts about it. */
export class BenchNode {
  constructor(
    private readonly bench: AlertBench,
    readonly instance: StoredInstance,
  ) {}

  /** Moves on by `seconds`, beats, and has the alerts evaluated. */
  async beat(seconds: number, more: Partial<Heartbeat> = {}): Promise<OutboxEvent[]> {
    await this.bench.clock.advance(seconds * 1000);
    await this.bench.beat(this.instance, more);
    return (await this.bench.evaluate()).filter(({ tenantId }) => tenantId === this.instance.tenantId);
  }

  /** The same, with nothing evaluated in between. */
  async beatUnseen(seconds: number, more: Partial<Heartbeat> = {}): Promise<void> {
    await this.bench.clock.advance(seconds * 1000);
    await this.bench.beat(this.instance, more);
  }

  /** Its alerts, the oldest first. */
  async alerts(): Promise<StoredAlert[]> {
    return this.bench.store.sql<StoredAlert & Record<string, unknown>>(
      'select rule, component, status, count from fleet.alert where tenant_id = $1 and instance_id = $2 order by id',
      [this.instance.tenantId, this.instance.id],
    );
  }

  /** How often it was told that an alert of it began to fire. */
  async firings(): Promise<string[]> {
    const rows = await this.bench.store.sql<{ rule: string }>(
      `select payload->>'rule' as rule from fleet.outbox where topic = 'fleet.alert.changed' and tenant_id = $1
         and payload->>'instanceId' = $2 and payload->>'to' = 'FIRING' order by xid, id`,
      [this.instance.tenantId, this.instance.id],
    );
    return rows.map(({ rule }) => rule);
  }
}
