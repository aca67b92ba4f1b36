import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { benchEnv } from './env.js';
import { cpuSeconds, residentMb } from './support/cpu.js';
import { Dashboard } from './support/everything/dashboard.js';
import { figuresOf, type Found, type Watched } from './support/everything/figures.js';
import { makeTenants, type CrowdNode, type CrowdTenant } from './support/everything/tenants.js';
import { Tally, Traffic } from './support/everything/traffic.js';
import { publish } from './support/report.js';
import { build, openStage, type RunningPanel, type Stage } from './support/stage.js';

const allTenants = 50;
const nodesOfEach = 20;
const dashboardsOfEach = 4;
const requestsPerMinute = 200;
const beatEveryMs = 30_000;
/** Of a tenant's requests one in so many is a command, to one of its nodes. */
const commandEach = 40;
const connections = 128;
const watchEveryMs = 2_000;
/** What was told last is still on its way. */
const lateMs = 10_000;

/** What a tenant's people and programs ask for, in turn. */
const reads = (node: CrowdNode): readonly string[] => [
  '/api/fleet/instances',
  '/api/fleet/summary',
  '/api/fleet/health',
  '/api/fleet/alerts?status=firing',
  `/api/fleet/instances/${node.id}`,
  `/api/fleet/metrics/${node.id}`,
  `/api/fleet/instances/${node.id}/metrics/history?range=1h`,
  '/api/fleet/commands',
  '/api/billing/subscription',
  '/api/billing/usage',
  '/api/governance/scores',
  '/api/governance/policies',
  '/api/hosting/providers',
  '/api/auth/me',
];

/** R13: everything at once, for ten minutes: dashboards, beats, calls, commands, alerts, policies. */
export async function everythingBench(): Promise<void> {
  const { BENCH_MINUTES: minutes, BENCH_SHARE: share } = benchEnv();
  build();
  const stage = await openStage();
  try {
    // Clients come by way of a proxy, each with an address, and with allowances that are in force.
    const panel = await stage.panel({ TRUST_PROXY: 'loopback', RATE_LIMIT_PER_MINUTE: '300' });
    const tenants = await makeTenants(panel.url, Math.max(1, Math.round(allTenants * share)), nodesOfEach);
    const crowd = new Crowd(panel, tenants);
    await crowd.gather();
    const watched = await crowd.run(minutes * 60_000, stage);
    const found = await crowd.found();
    publish({
      name: 'everything',
      setup:
        `${tenants.length * dashboardsOfEach} dashboards of five subscriptions, ${tenants.length * nodesOfEach} nodes at a beat in ` +
        `${beatEveryMs / 1000} s, ${tenants.length} tenants at ${requestsPerMinute} requests a minute, ${minutes} minutes; one panel, its database and the load share the machine`,
      figures: figuresOf(found, watched),
      details: { minutes, share, watched, errors: found.errors },
    });
  } finally {
    await stage.stop();
  }
}

class Crowd {
  private readonly calls = new Tally();
  private readonly commands = new Tally();
  private readonly beats = new Tally();
  private readonly results = new Tally();
  private readonly dashboards: Dashboard[];
  private readonly traffic: Traffic;
  private readonly sentAt = new Map<string, number>();
  private readonly heardAt: { id: string; at: number }[] = [];
  private readonly beatDelays: number[] = [];
  private readonly acknowledged = new Map<CrowdTenant, { commands: Set<string>; beats: number }>();
  private sequence = 0;

  constructor(
    private readonly panel: RunningPanel,
    private readonly tenants: readonly CrowdTenant[],
  ) {
    this.traffic = new Traffic(panel.url, connections);
    for (const tenant of tenants) this.acknowledged.set(tenant, { commands: new Set(), beats: 0 });
    const hears = (kind: 'command' | 'beat', id: string) => {
      if (kind === 'command') this.heardAt.push({ id, at: performance.now() });
      else this.beatDelays.push(performance.now() - (this.sentAt.get(id) ?? Number.NaN));
    };
    this.dashboards = tenants.flatMap((tenant) =>
      Array.from({ length: dashboardsOfEach }, () => new Dashboard(panel.url, tenant, hears)),
    );
  }

  async gather(): Promise<void> {
    for (const dashboard of this.dashboards) await dashboard.open();
  }

  async run(ms: number, stage: Stage): Promise<Watched> {
    const watch = () => ({
      panelCpu: cpuSeconds(this.panel.pid),
      postgresCpu: cpuSeconds(stage.postgresPid()),
      memory: residentMb(this.panel.pid),
    });
    const first = watch();
    const begun = performance.now();
    this.tenants.forEach((tenant, at) => {
      const everyMs = 60_000 / requestsPerMinute;
      this.traffic.every((at * everyMs) / this.tenants.length, everyMs, (turn, due) =>
        this.ask(tenant, turn, due),
      );
      tenant.nodes.forEach((node, index) => {
        const share = (at * nodesOfEach + index) / (this.tenants.length * nodesOfEach);
        this.traffic.every(share * beatEveryMs, beatEveryMs, (turn, due) =>
          this.beat(tenant, node, index, turn, due),
        );
      });
    });
    const memory: number[] = [];
    while (performance.now() - begun < ms) {
      await sleep(Math.min(watchEveryMs, ms));
      memory.push(residentMb(this.panel.pid));
    }
    const last = watch();
    const seconds = (performance.now() - begun) / 1000;
    await this.traffic.stop();
    return {
      seconds,
      memory,
      memoryBefore: first.memory,
      panelCores: (last.panelCpu - first.panelCpu) / seconds,
      postgresCores: (last.postgresCpu - first.postgresCpu) / seconds,
    };
  }

  async found(): Promise<Found> {
    for (const end = performance.now() + lateMs; performance.now() < end && this.missed().commands > 0;)
      await sleep(100);
    await Promise.all(this.dashboards.map(async (dashboard) => dashboard.close()));
    const delays = this.heardAt.flatMap(({ id, at }) => {
      const sent = this.sentAt.get(id);
      return sent === undefined ? [] : [at - sent];
    });
    const tallies = {
      calls: this.calls,
      commands: this.commands,
      beats: this.beats,
      results: this.results,
    };
    return {
      tallies,
      heard: this.dashboards.reduce(
        (sum, { heard }) => sum + Object.values(heard).reduce((one, many) => one + many, 0),
        0,
      ),
      missed: this.missed(),
      commandDelays: delays,
      beatDelays: this.beatDelays,
      errors: [
        ...Object.values(tallies).flatMap(({ errors }) =>
          [...errors].map(([what, many]) => `${many} of ${what}`),
        ),
        ...this.dashboards.flatMap(({ errors }) => errors),
      ],
    };
  }

  private missed(): Found['missed'] {
    let [commands, beats, changes] = [0, 0, 0];
    for (const [tenant, acknowledged] of this.acknowledged) {
      const ours = this.dashboards.filter((dashboard) => dashboard.tenant === tenant);
      const told = ours.map(({ heard }) => heard.instanceChanged + heard.alertChanged);
      for (const [at, dashboard] of ours.entries()) {
        commands += [...acknowledged.commands].filter((id) => !dashboard.commands.has(id)).length;
        beats += Math.max(0, acknowledged.beats - dashboard.heard.metricsReported);
        // Nobody says how many there were; all of a tenant have to have heard the same.
        changes += Math.max(...told) - told[at]!;
      }
    }
    return { commands, beats, changes };
  }

  private async ask(tenant: CrowdTenant, turn: number, due: number): Promise<void> {
    const { token, from, nodes } = tenant;
    const node = nodes[turn % nodes.length]!;
    if (turn % commandEach === 0) return this.command(tenant, node, due);
    const paths = reads(node);
    await this.traffic.ask(this.calls, due, {
      method: 'GET',
      path: paths[turn % paths.length]!,
      token,
      from,
    });
  }

  private async command(tenant: CrowdTenant, node: CrowdNode, due: number): Promise<void> {
    const answer = await this.traffic.ask(this.commands, due, {
      method: 'POST',
      path: '/api/fleet/commands',
      token: tenant.token,
      from: tenant.from,
      headers: { 'idempotency-key': randomUUID() },
      body: { command: 'run_diagnostics', instance_ids: [node.id] },
    });
    if (typeof answer?.['id'] !== 'string') return;
    this.acknowledged.get(tenant)!.commands.add(answer['id']);
    this.sentAt.set(answer['id'], due);
  }

  private async beat(
    tenant: CrowdTenant,
    node: CrowdNode,
    index: number,
    turn: number,
    due: number,
  ): Promise<void> {
    const common = { token: node.credential, from: `10.3.0.${index + 1}` };
    this.sentAt.set(node.id, due);
    this.sequence += 1;
    const answer = await this.traffic.ask(this.beats, due, {
      ...common,
      method: 'POST',
      path: '/api/agent/heartbeat',
      body: {
        // One in ten is at its end for an alert to fire and to clear, and one in ten has a part that fails and recovers.
        cpu_percent: index % 10 === 1 && turn % 12 < 6 ? 99 : 10 + (this.sequence % 37),
        memory_percent: 40,
        disk_percent: 30,
        apps_count: 3,
        cpu_cores: 4,
        memory_gb: 16,
        version: '0.2.9',
        net_rx_bytes: 2_000_000 + turn * 1_000,
        net_tx_bytes: 1_000_000 + turn * 500,
        load_average: 0.5,
        uptime_seconds: 90_000 + turn * 30,
        health: [
          { component: 'proxy', status: index % 10 === 2 && turn % 2 === 1 ? 'unhealthy' : 'healthy' },
        ],
        sequence: turn + 1,
        sent_at: new Date().toISOString(),
        ...(turn % 10 === 0
          ? { facts: { 'backup.encryption': index % 4 !== 0, arch: `x64-${turn % 20}` } }
          : {}),
      },
    });
    if (!answer) return;
    this.acknowledged.get(tenant)!.beats += 1;
    const orders = (answer['commands'] ?? []) as { id: string; lease: unknown }[];
    for (const { id, lease } of orders)
      await this.traffic.ask(this.results, performance.now(), {
        ...common,
        method: 'POST',
        path: `/api/agent/commands/${id}/result`,
        body: { lease, status: 'success', exit_code: 0 },
      });
  }
}
