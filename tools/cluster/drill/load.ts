import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Client } from './client.js';

const askEveryMs = 200;
const beatEveryMs = 250;
const answerWithinMs = 12_000;
const retryAfterMs = 250;

/** What became of requests, by how they were answered. */
export interface Tally {
  /** 503: the panel, or haproxy, says to come again. */
  unavailable: number;
  /** 502 and 504: haproxy says that a panel was lost at work, and that nobody knows whether it was done. */
  unknown: number;
  /** Other answers of 500 and above, and those two in other words than haproxy has for them: faults of a panel. */
  failed: number;
  /** The connection ended without an answer, as when a process is killed. */
  cut: number;
  /** Refusals, which there should be none of. */
  refused: number;
  /** How many there were of each status. */
  statuses: Record<number, number>;
}

export const emptyTally = (): Tally => ({
  unavailable: 0,
  unknown: 0,
  failed: 0,
  cut: 0,
  refused: 0,
  statuses: {},
});

/**
 * Calls as clients make them, one after the other begins whatever became of the last: commands that are repeated under
 * their key until they are acknowledged, reads, and beats that nobody repeats.
 */
export class Load {
  tally = emptyTally();
  /** When each write was acknowledged, in milliseconds of `performance.now()`. */
  acknowledgedAt: number[] = [];
  /** The commands that were acknowledged, by their key, and when each was. */
  readonly commands = new Map<string, string>();
  readonly acknowledged = new Map<string, string>();
  /** Keys that were tried. */
  readonly keys = new Set<string>();
  /** The beats that were acknowledged, by their number, and how many were sent: each has a number of its own. */
  readonly beats = new Set<number>();
  sentBeats = 0;

  private isOver = false;
  private readonly open = new Set<Promise<void>>();
  private readonly loops: Promise<void>[] = [];

  constructor(private readonly client: Client) {}

  start(): void {
    this.loops.push(
      this.every(askEveryMs, () => this.command()),
      this.every(askEveryMs, () => this.read()),
      this.every(beatEveryMs, () => this.beat()),
    );
  }

  /** Begins nothing more, and waits for what is under way. */
  async stop(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.loops);
    await Promise.all(this.open);
  }

  /** The longest time without an acknowledged write since `from`, in seconds. */
  longestPause(from: number): number {
    const times = [from, ...this.acknowledgedAt.filter((at) => at >= from), performance.now()];
    const pauses = times.slice(1).map((at, index) => at - times[index]!);
    return Math.max(...pauses) / 1000;
  }

  private async every(ms: number, work: () => Promise<void>): Promise<void> {
    while (!this.isOver) {
      const one = work().finally(() => this.open.delete(one));
      this.open.add(one);
      await sleep(ms);
    }
  }

  private async command(): Promise<void> {
    const key = randomUUID();
    this.keys.add(key);
    const instance = this.client.nodes[this.keys.size % this.client.nodes.length]!;
    for (let attempt = 0; attempt < 400; attempt += 1) {
      const answer = await this.count(
        this.client.call('POST', '/api/fleet/commands', {
          body: { command: 'run_diagnostics', instance_ids: [instance.id] },
          headers: { 'idempotency-key': key },
          withinMs: answerWithinMs,
        }),
      );
      if (answer?.status === 201) {
        this.acknowledgedAt.push(performance.now());
        const { id } = answer.body as { id: string };
        this.commands.set(key, id);
        this.acknowledged.set(id, new Date().toISOString());
        return;
      }
      await sleep(retryAfterMs);
    }
  }

  private async read(): Promise<void> {
    await this.count(this.client.call('GET', '/api/fleet/instances', { withinMs: answerWithinMs }));
  }

  private async beat(): Promise<void> {
    this.sentBeats += 1;
    const number = this.sentBeats;
    const node = this.client.nodes[number % this.client.nodes.length]!;
    const answer = await this.count(
      this.client.call('POST', '/api/agent/heartbeat', {
        token: node.credential,
        body: {
          cpu_percent: number % 100,
          // Kept as it is, and by it each beat is found again.
          net_rx_bytes: number,
          memory_percent: 40,
          disk_percent: 30,
          apps_count: 3,
          cpu_cores: 4,
          memory_gb: 16,
          version: '0.2.9',
        },
        withinMs: answerWithinMs,
      }),
    );
    if (answer?.status !== 200) return;
    this.beats.add(number);
    const { commands } = answer.body as { commands: { id: string; lease: string }[] };
    for (const { id, lease } of commands) await this.finish(node.credential, id, lease);
  }

  /** What fails is handed out again. */
  private async finish(token: string, id: string, lease: string): Promise<void> {
    await this.count(
      this.client.call('POST', `/api/agent/commands/${id}/result`, {
        token,
        body: { lease, status: 'success', exit_code: 0 },
        withinMs: answerWithinMs,
      }),
    );
  }

  private async count(
    asked: Promise<{ status: number; body: unknown }>,
  ): Promise<{ status: number; body: unknown } | undefined> {
    try {
      const answer = await asked;
      const { status } = answer;
      this.tally.statuses[status] = (this.tally.statuses[status] ?? 0) + 1;
      if (status === 503) this.tally.unavailable += 1;
      else if (isUnknown(answer)) this.tally.unknown += 1;
      else if (status >= 500) this.tally.failed += 1;
      else if (status >= 300) this.tally.refused += 1;
      return answer;
    } catch {
      this.tally.cut += 1;
      return undefined;
    }
  }
}

function isUnknown({ status, body }: { status: number; body: unknown }): boolean {
  const { error } = (body ?? {}) as { error?: unknown };
  return (status === 502 || status === 504) && String(error).includes('Idempotency-Key');
}
