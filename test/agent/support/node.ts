import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { onTestFinished } from 'vitest';

import { createAgent, type Agent, type AgentEvent, type AgentOptions } from '#agent/agent.js';
import { createLogger } from '#agent/logger.js';
import type { Metrics } from '#agent/metrics/source.js';
import { fileStateStore } from '#agent/state-store.js';

import { HandClock } from './hand-clock.js';
import { StubPanel } from './stub-panel.js';

export const steadyMetrics: Metrics = {
  cpuPercent: 35.2,
  memoryPercent: 62.1,
  diskPercent: 48.3,
  appsCount: 12,
  cpuCores: 8,
  memoryGb: 32,
  netRxBytes: 5_000_000_000,
  netTxBytes: 3_000_000_000,
  loadAverage: 2.8,
  uptimeSeconds: 864_000,
};

/** A node, its panel, its clock and its state folder; all of it ends with the test that made it. */
export class TestNode {
  readonly clock = new HandClock();
  readonly events: AgentEvent[] = [];
  readonly stateFile: string;
  agent: Agent;
  /** Half of every range, unless a test says otherwise: waits are then exactly the interval. */
  luck = 0.5;

  private constructor(
    readonly panel: StubPanel,
    private readonly folder: string,
    private readonly options: Partial<AgentOptions>,
  ) {
    this.stateFile = path.join(folder, 'node', 'state.json');
    this.agent = this.build();
  }

  static async create(options: Partial<AgentOptions> = {}): Promise<TestNode> {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'quazzar-agent-'));
    const node = new TestNode(await StubPanel.start(), folder, options);
    onTestFinished(() => node.#close());
    return node;
  }

  build(options: Partial<AgentOptions> = {}): Agent {
    return createAgent({
      panelUrl: this.panel.url,
      enrollmentToken: 'flt_test',
      name: 'production-01',
      hostname: 'cloud.example.com',
      version: '0.2.9',
      stateStore: fileStateStore(this.stateFile),
      metrics: { collect: async () => steadyMetrics },
      clock: this.clock,
      random: () => this.luck,
      logger: createLogger('silent'),
      onEvent: (event) => void this.events.push(event),
      ...this.options,
      ...options,
    });
  }

  /** Starts, and waits until the first beat is due. */
  async start(): Promise<void> {
    await this.agent.start();
    await this.clock.sleeping();
  }

  /** Lets the agent do what it waits for, waits until it rests again, and answers how long it had waited. */
  async step(): Promise<number> {
    const waited = await this.clock.wake();
    await this.clock.sleeping();
    return waited;
  }

  async steps(count: number): Promise<number[]> {
    const waits: number[] = [];
    for (let done = 0; done < count; done += 1) waits.push(await this.step());
    return waits;
  }

  /** The same node after its process has ended, from nothing but its state file. */
  async restart(options: Partial<AgentOptions> = {}): Promise<void> {
    await this.agent.stop();
    this.agent = this.build(options);
    await this.start();
  }

  async #close(): Promise<void> {
    await this.agent.stop();
    await this.panel.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
