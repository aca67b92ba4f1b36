/** The words a component's health is told in. */
export type HealthStatus = 'healthy' | 'degraded' | 'unhealthy';

export interface ComponentHealth {
  readonly component: string;
  readonly status: HealthStatus;
  readonly message?: string;
}

/**
 * One reading of a node. Percents are 0 to 100; the network figures are cumulative counters that may restart at 0. What
 * could not be read is null, or absent where it may be.
 */
export interface Metrics {
  readonly cpuPercent: number | null;
  readonly memoryPercent: number | null;
  readonly diskPercent: number | null;
  readonly appsCount: number | null;
  readonly cpuCores: number;
  readonly memoryGb: number;
  readonly netRxBytes?: number | undefined;
  readonly netTxBytes?: number | undefined;
  /** The one-minute average. */
  readonly loadAverage?: number;
  readonly uptimeSeconds?: number;
  /**
   * By apps, where it is known: the plan's limit of storage counts it. A full disk of the system's is none of it. Null
   * where it is not measured, so that what was told before counts no longer.
   */
  readonly storageUsedGb?: number | null | undefined;
  readonly health?: readonly ComponentHealth[];
  /** Things that seldom change, by dotted paths; told when they have changed, and now and then in case they were lost. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** Where an agent's readings come from: the machine, or a simulation of one. */
export interface MetricsSource {
  collect(): Promise<Metrics>;
}

/** The same reading of a node whose agent can not store its state, so that the panel shows what its log has. */
export function degradedBy(problem: string | undefined, metrics: Metrics): Metrics {
  if (problem === undefined) return metrics;
  const of = (isAgent: boolean) =>
    (metrics.health ?? []).filter(({ component }) => (component === 'agent') === isAgent);
  const messages = [
    `The state can not be stored: ${problem}`,
    ...of(true).flatMap(({ message }) => message ?? []),
  ];
  const message = messages.join('; ').slice(0, 500).toWellFormed();
  return { ...metrics, health: [...of(false), { component: 'agent', status: 'degraded', message }] };
}
