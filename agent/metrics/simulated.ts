import { elapsedBy, type Clock } from '../clock.js';
import { seededRandom } from '../random.js';
import { simulatedFacts } from './simulated-facts.js';
import type { ComponentHealth, HealthStatus, Metrics, MetricsSource } from './source.js';

/** A node that does not exist: the figures its readings wander around. */
export interface SimulatedProfile {
  readonly name: string;
  readonly hostname: string;
  readonly version: string;
  readonly appsCount: number;
  readonly cpuPercent: number;
  readonly memoryPercent: number;
  readonly diskPercent: number;
  readonly cpuCores: number;
  readonly memoryGb: number;
  readonly storageUsedGb?: number;
  readonly health?: readonly ComponentHealth[];
}

export interface SimulatedMetrics extends MetricsSource {
  /** Reports a component in this state from the next reading on. */
  setHealth(component: string, status: HealthStatus, message?: string): void;
  /** Goes back to what the profile says of the component. */
  clearHealth(component: string): void;
}

/** How far a reading may leave its profile's figure, in percentage points. */
const reach = { cpu: 12, memory: 4, disk: 1 };
const day = 86_400;

/**
 * Readings that wander around the profile's figures: the first one is the profile itself, and the same profile read at
 * the same times gives the same numbers. Counters and uptime grow with what has elapsed.
 */
export function simulatedMetrics(
  profile: SimulatedProfile,
  options: { clock: Clock; seed?: string },
): SimulatedMetrics {
  const random = seededRandom(options.seed ?? profile.name);
  const startedAt = elapsedBy(options.clock);
  const uptimeAtStart = day * (2 + 40 * random());
  const overrides = new Map<string, ComponentHealth>();
  const rate = 20_000 * (1 + profile.appsCount);
  const cpu = walk(profile.cpuPercent, reach.cpu, random);
  const memory = walk(profile.memoryPercent, reach.memory, random);
  const disk = walk(profile.diskPercent, reach.disk, random);
  const facts = simulatedFacts(options.seed ?? profile.name, {
    appsCount: profile.appsCount,
    isBackupOld: profile.health?.some(({ component }) => component === 'backup') ?? false,
    startedAt: options.clock.now(),
  });
  let readAt = startedAt;
  let received = rate * uptimeAtStart;
  let sent = received * 0.6;

  return {
    async collect(): Promise<Metrics> {
      const now = elapsedBy(options.clock);
      const seconds = (now - readAt) / 1000;
      readAt = now;
      received += seconds * rate * (0.5 + random());
      sent += seconds * rate * 0.6 * (0.5 + random());
      const cpuPercent = cpu();
      return {
        cpuPercent,
        memoryPercent: memory(),
        diskPercent: disk(),
        appsCount: profile.appsCount,
        cpuCores: profile.cpuCores,
        memoryGb: profile.memoryGb,
        netRxBytes: Math.round(received),
        netTxBytes: Math.round(sent),
        loadAverage: round((cpuPercent / 100) * profile.cpuCores, 2),
        uptimeSeconds: Math.floor(uptimeAtStart + (readAt - startedAt) / 1000),
        storageUsedGb: profile.storageUsedGb,
        health: healthOf(profile, overrides),
        facts,
      };
    },
    setHealth: (component, status, message) => void overrides.set(component, { component, status, message }),
    clearHealth: (component) => void overrides.delete(component),
  };
}

/** A random walk that is drawn back to `centre` and never leaves `centre` ± `reach` or 0 to 100. */
function walk(centre: number, reachOf: number, random: () => number): () => number {
  const low = Math.max(0, centre - reachOf);
  const high = Math.min(100, centre + reachOf);
  let value: number | undefined;
  return () => {
    if (value === undefined) {
      value = centre;
    } else {
      const step = (random() - 0.5) * reachOf * 0.5;
      value = Math.min(high, Math.max(low, value + (centre - value) * 0.1 + step));
    }
    return round(value, 1);
  };
}

function healthOf(
  profile: SimulatedProfile,
  overrides: ReadonlyMap<string, ComponentHealth>,
): readonly ComponentHealth[] {
  const told = new Map((profile.health ?? []).map((entry) => [entry.component, entry]));
  for (const [component, entry] of overrides) told.set(component, entry);
  return [...told.values()];
}

function round(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}
