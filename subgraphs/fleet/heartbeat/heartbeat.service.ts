import { LockMode } from '@mikro-orm/core';

import { ApiError } from '#platform/errors.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';
import type { InstanceChanged } from '#schema/events.js';

import type { CredentialService } from '../enrollment/credential.service.js';
import { Instance } from '../instance/instance.entity.js';
import { offlineAfter, statusOf } from '../instance/instance.status.js';
import {
  reportHeartbeatRules,
  type Heartbeat,
  type ReportHeartbeatInput,
  type ReportHeartbeatPayload,
} from './heartbeat.inputs.js';
import { reasonsIn } from './heartbeat.reasons.js';

/** Takes the beats of nodes. */
export class HeartbeatService {
  constructor(
    private readonly credentials: CredentialService,
    private readonly heartbeatSeconds: number,
  ) {}

  /** Answers once the beat is committed. Server time decides `lastSeen`; the node's clock only tells its skew. */
  async report(operation: Operation, input: ReportHeartbeatInput): Promise<ReportHeartbeatPayload> {
    const node = operation.requireNode();
    const beat = validate(reportHeartbeatRules, input);
    const now = operation.clock.now();
    await operation.write(async (write) => {
      const instance = await write.em.findOne(
        Instance,
        { tenantId: node.tenantId, id: node.instanceId },
        { lockMode: LockMode.PESSIMISTIC_WRITE },
      );
      if (!instance || instance.credentialGeneration !== node.generation) {
        throw new ApiError('UNAUTHENTICATED', 'The credential was revoked', { reason: 'TOKEN_REVOKED' });
      }
      const before = instance.lastSeenAt ? statusOf(instance, now).status : null;
      this.apply(instance, beat, now);
      const after = statusOf(instance, now).status;
      if (before !== after) {
        write.publish({
          topic: 'fleet.instance.changed',
          tenantId: node.tenantId,
          entityId: instance.id,
          payload: { instanceId: instance.id, from: before, to: after } satisfies InstanceChanged,
        });
      }
      await storeSamples(write, instance, beat, now);
    });
    return {
      serverTime: now,
      heartbeatSeconds: this.heartbeatSeconds,
      commands: [],
      credential: await this.credentials.renewal(node, now),
    };
  }

  private apply(instance: Instance, beat: Heartbeat, now: Date): void {
    const skew = beat.sentAt ? (beat.sentAt.getTime() - now.getTime()) / 1000 : null;
    const elapsed = instance.lastSeenAt ? (now.getTime() - instance.lastSeenAt.getTime()) / 1000 : 0;
    const reasons = reasonsIn(beat, skew, instance.reasons, now);
    Object.assign(instance, {
      lastSeenAt: now,
      offlineAt: offlineAfter(now, this.heartbeatSeconds),
      condition: reasons.length > 0 ? 'DEGRADED' : 'HEALTHY',
      reasons,
      sequence: beat.sequence == null ? null : String(beat.sequence),
      clockSkewSeconds: skew,
      version: beat.version,
      appsCount: beat.appsCount,
      cpuPercent: beat.cpuPercent,
      memoryPercent: beat.memoryPercent,
      diskPercent: beat.diskPercent,
      cpuCores: beat.cpuCores,
      memoryGb: beat.memoryGb,
      storageUsedGb: beat.storageUsedGb ?? instance.storageUsedGb,
      netRxBytesPerSecond: rate(instance.netRxBytes, beat.netRxBytes, elapsed),
      netTxBytesPerSecond: rate(instance.netTxBytes, beat.netTxBytes, elapsed),
      netRxBytes: beat.netRxBytes ?? null,
      netTxBytes: beat.netTxBytes ?? null,
      loadAverage: beat.loadAverage ?? null,
      uptimeSeconds: beat.uptimeSeconds ?? null,
      health: beat.health ?? [],
      facts: beat.facts ?? instance.facts,
    });
  }
}

/** Bytes per second between two readings of a counter; a counter that went down was reset and tells nothing yet. */
function rate(before: number | null, after: number | null | undefined, seconds: number): number | null {
  if (before === null || after == null || seconds <= 0 || after < before) return null;
  return (after - before) / seconds;
}

// Small differences are transport delay and are left alone, so that a sample replayed twice keeps its timestamp; larger
// ones are the clock's, and are taken out in whole steps for the same reason.
const skewStepSeconds = 30;

async function storeSamples({ em }: Write, instance: Instance, beat: Heartbeat, now: Date): Promise<void> {
  const shift = Math.trunc((instance.clockSkewSeconds ?? 0) / skewStepSeconds) * skewStepSeconds * 1000;
  const current = { ...beat, timestamp: beat.sentAt ?? now };
  const rows = [current, ...(beat.samples ?? [])].map((sample) => [
    instance.tenantId,
    instance.id,
    new Date(sample.timestamp.getTime() - shift),
    sample.cpuPercent,
    sample.memoryPercent,
    sample.diskPercent,
    sample.netRxBytes ?? null,
    sample.netTxBytes ?? null,
    sample.loadAverage ?? null,
  ]);
  await em.execute(
    `insert into fleet.metrics_sample (tenant_id, instance_id, at, cpu_percent, memory_percent, disk_percent,
       net_rx_bytes, net_tx_bytes, load_average)
     values ${rows.map((row) => `(${row.map(() => '?').join(', ')})`).join(', ')}
     on conflict do nothing`,
    rows.flat(),
  );
}
