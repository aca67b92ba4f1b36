import { z } from 'zod';

import type { Metrics } from './metrics/source.js';
import type { Sample } from './sample-buffer.js';

/** What a node says of itself when it enrolls. */
export interface Enrollment {
  readonly token: string;
  readonly name: string;
  readonly hostname: string;
  readonly version: string;
  readonly baseUrl?: string;
  readonly redirectUris?: readonly string[];
}

/** The answers of the panel. Unknown fields are ignored, so that a newer panel may say more. */
export const enrollAnswer = z
  .object({
    instance_id: z.string().min(1),
    credential: z.string().min(1),
    heartbeat_seconds: z.number().positive(),
  })
  .transform((raw) => ({
    instanceId: raw.instance_id,
    credential: raw.credential,
    heartbeatSeconds: raw.heartbeat_seconds,
  }));

export const commandShape = z.object({
  id: z.string().min(1),
  command: z.string().min(1),
  params: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform((params) => params ?? {}),
  lease: z.union([z.string(), z.number()]),
});

export const beatAnswer = z
  .object({
    server_time: z.string(),
    heartbeat_seconds: z.number().positive(),
    commands: z.array(commandShape).default([]),
    credential: z.string().min(1).nullish(),
  })
  .transform((raw) => ({
    serverTime: raw.server_time,
    heartbeatSeconds: raw.heartbeat_seconds,
    commands: raw.commands,
    credential: raw.credential ?? undefined,
  }));

export type EnrollAnswer = z.infer<typeof enrollAnswer>;
export type BeatAnswer = z.infer<typeof beatAnswer>;

/** A command as the panel hands it over; it may come again until its result is reported under the same lease. */
export type AgentCommand = z.infer<typeof commandShape>;

/** The most older beats that one beat may carry. */
export const maxSamples = 100;

export function enrollBody(enrollment: Enrollment): Record<string, unknown> {
  return {
    token: enrollment.token,
    name: enrollment.name,
    hostname: enrollment.hostname,
    version: enrollment.version,
    base_url: enrollment.baseUrl,
    redirect_uris: enrollment.redirectUris,
  };
}

/** A beat: the reading just taken, and older ones that did not get through. */
export function beatBody(
  beat: Sample,
  older: readonly Sample[],
  told: { version: string; sentAt: Date; withFacts: boolean },
): Record<string, unknown> {
  return {
    ...reading(beat.metrics, told.version),
    storage_used_gb: beat.metrics.storageUsedGb,
    health: beat.metrics.health,
    facts: told.withFacts ? beat.metrics.facts : undefined,
    samples:
      older.length === 0
        ? undefined
        : older.map((sample) => ({
            timestamp: sample.takenAt.toISOString(),
            sequence: sample.sequence,
            ...reading(sample.metrics, told.version),
          })),
    sequence: beat.sequence,
    sent_at: told.sentAt.toISOString(),
  };
}

function reading(metrics: Metrics, version: string): Record<string, unknown> {
  return {
    cpu_percent: metrics.cpuPercent,
    memory_percent: metrics.memoryPercent,
    disk_percent: metrics.diskPercent,
    apps_count: metrics.appsCount,
    cpu_cores: metrics.cpuCores,
    memory_gb: metrics.memoryGb,
    version,
    net_rx_bytes: metrics.netRxBytes,
    net_tx_bytes: metrics.netTxBytes,
    load_average: metrics.loadAverage,
    uptime_seconds: metrics.uptimeSeconds,
  };
}
