import { ApiError } from '#platform/errors.js';

import { factsFault } from '../reported/facts.js';
import type { InputWarning } from '../reported/input-warning.js';
import { Warnings, type Range } from '../reported/warnings.js';
import type { ComponentHealth, MetricsSampleInput, ReportHeartbeatInput } from './heartbeat.inputs.js';

export enum ComponentStatus {
  HEALTHY = 'HEALTHY',
  DEGRADED = 'DEGRADED',
  UNHEALTHY = 'UNHEALTHY',
}

/** One of a node's own components, as it is kept. */
export interface ComponentReport {
  component: string;
  status: ComponentStatus;
  message?: string | null;
}

/** What a node measures at one time. */
export interface Measured {
  cpuPercent: number | null;
  memoryPercent: number | null;
  diskPercent: number | null;
  netRxBytes?: number | null;
  netTxBytes?: number | null;
  loadAverage?: number | null;
}

/** A beat as far as it can be used. What is null was not told, or not so that it means anything. */
export interface Heartbeat extends Measured {
  appsCount: number | null;
  cpuCores: number | null;
  memoryGb: number | null;
  /** Null leaves the one from before. */
  version: string | null;
  uptimeSeconds?: number | null;
  /** Absent, the one from before stays; null is of a node that does not measure it any more. */
  storageUsedGb?: number | null | undefined;
  health?: ComponentReport[] | null;
  /** Absent, those from before stay. */
  facts?: object | null;
  samples?: (Measured & { timestamp: Date })[] | null;
  sequence?: number | null;
  sentAt?: Date | null;
  /** What is wrong with measurements of the beat itself, a sentence each. */
  invalid?: readonly string[];
}

const percent = (what: string): Range => ({ what, max: 100, slack: 101, decimals: 1 });
// Beyond it numbers lose their last digits, and sums of a fleet's may overflow. No counter of bytes gets there.
const counter = (what: string): Range => ({ what, max: Number.MAX_SAFE_INTEGER, fractions: 'cut' });

/** What each measurement may be, and as how fine a figure it is kept: in lists, history and alerts alike. */
export const ranges = {
  cpuPercent: percent('CPU percent'),
  memoryPercent: percent('Memory percent'),
  diskPercent: percent('Disk percent'),
  netRxBytes: counter('Net rx bytes'),
  netTxBytes: counter('Net tx bytes'),
  loadAverage: { what: 'Load average', max: 1_000_000, decimals: 2 },
  appsCount: { what: 'Apps count', max: 10_000_000, fractions: 'refused' },
  cpuCores: { what: 'CPU cores', max: 10_000_000, fractions: 'refused' },
  memoryGb: { what: 'Memory GB', max: 10_000_000, decimals: 1 },
  storageUsedGb: { what: 'Storage used GB', max: 1_000_000_000, decimals: 1 },
  uptimeSeconds: { what: 'Uptime seconds', max: 100_000_000_000, decimals: 0 },
} as const satisfies Record<string, Range>;

type Name = keyof typeof ranges;

const sequenceRange: Range = { what: 'Sequence', max: Number.MAX_SAFE_INTEGER, fractions: 'refused' };
const most = { components: 50, samples: 500 };

const required = [
  ['cpuPercent', 'CPU percent'],
  ['memoryPercent', 'Memory percent'],
  ['diskPercent', 'Disk percent'],
  ['appsCount', 'Apps count'],
  ['cpuCores', 'CPU cores'],
  ['memoryGb', 'Memory GB'],
  ['version', 'Version'],
] as const satisfies readonly (readonly [keyof ReportHeartbeatInput, string])[];

/**
 * Takes of a beat what can be used, and tells the rest in warnings: nobody is offline for one number. VALIDATION_FAILED
 * when a required field is not even there.
 */
export function judgeBeat(input: ReportHeartbeatInput): { beat: Heartbeat; warnings: InputWarning[] | null } {
  const missing = required.filter(([name]) => input[name] === undefined);
  if (missing.length > 0) {
    throw new ApiError('VALIDATION_FAILED', 'Validation failed', {
      details: Object.fromEntries(missing.map(([name, what]) => [`input.${name}`, `${what} is required`])),
    });
  }
  const warnings = new Warnings();
  const invalid: string[] = [];
  const read = (name: Name) =>
    warnings.number(name, input[name], ranges[name], (message) => invalid.push(message));
  const needed = (name: Name) => {
    if (input[name] !== null) return read(name);
    // What JSON makes of NaN.
    invalid.push(`${ranges[name].what} was not told`);
    warnings.add(name, `${ranges[name].what} was not told`);
    return null;
  };
  const beat: Heartbeat = {
    cpuPercent: needed('cpuPercent'),
    memoryPercent: needed('memoryPercent'),
    diskPercent: needed('diskPercent'),
    appsCount: needed('appsCount'),
    cpuCores: needed('cpuCores'),
    memoryGb: needed('memoryGb'),
    version: versionOf(warnings, input.version),
    netRxBytes: read('netRxBytes'),
    netTxBytes: read('netTxBytes'),
    loadAverage: read('loadAverage'),
    uptimeSeconds: read('uptimeSeconds'),
    storageUsedGb: input.storageUsedGb === null ? null : (read('storageUsedGb') ?? undefined),
    health: componentsOf(warnings, input.health),
    facts: factsOf(warnings, input.facts),
    samples: samplesOf(warnings, input.samples),
    sequence: warnings.number('sequence', input.sequence, sequenceRange),
    sentAt: warnings.time('sentAt', input.sentAt, 'Sent at'),
    invalid,
  };
  warnings.addUnknown(input.unknownFields);
  return { beat, warnings: warnings.all };
}

export const longestVersion = 64;

function versionOf(warnings: Warnings, value: unknown): string | null {
  const version = warnings.text('version', value, { what: 'Version', max: longestVersion });
  if (version === null && (value === null || typeof value === 'string')) {
    warnings.add('version', 'Version is empty; the one from before was kept');
  }
  return version;
}

function componentsOf(
  warnings: Warnings,
  health: readonly ComponentHealth[] | null | undefined,
): ComponentReport[] | null {
  if (!health) return null;
  if (health.length > most.components) {
    warnings.add('health', `At most ${most.components} components; the others were left out`);
  }
  return health.slice(0, most.components).flatMap((each, at) => componentOf(warnings, each, `health.${at}`));
}

function componentOf(warnings: Warnings, said: ComponentHealth, at: string): ComponentReport[] {
  const component = warnings.text(`${at}.component`, said.component, { what: 'Component', max: 100 });
  const word = warnings.text(`${at}.status`, said.status, { what: 'Status', max: 50 });
  const message = warnings.text(`${at}.message`, said.message, { what: 'Message', max: 500 });
  warnings.addUnknown(said.unknownFields, `${at}.`);
  if (component === null || word === null) {
    warnings.add(at, 'A component has a name and a status; it was left out');
    return [];
  }
  const status = Object.values(ComponentStatus).find((known) => known === word.toUpperCase());
  if (!status) {
    warnings.add(`${at}.status`, 'Status must be healthy, degraded or unhealthy; it was taken as degraded');
  }
  return [
    { component, status: status ?? ComponentStatus.DEGRADED, ...(message === null ? {} : { message }) },
  ];
}

function factsOf(warnings: Warnings, facts: unknown): object | null {
  if (facts === null || facts === undefined) return null;
  const fault = factsFault(facts);
  if (fault === undefined) return facts as object;
  warnings.add('facts', `${fault}; those from before were kept`);
  return null;
}

function samplesOf(
  warnings: Warnings,
  samples: readonly MetricsSampleInput[] | null | undefined,
): Heartbeat['samples'] {
  if (!samples) return null;
  if (samples.length > most.samples) {
    warnings.add('samples', `At most ${most.samples} samples; the others were left out`);
  }
  return samples.slice(0, most.samples).flatMap((sample, index) => {
    const at = `samples.${index}`;
    const read = (name: keyof Measured) => warnings.number(`${at}.${name}`, sample[name], ranges[name]);
    const timestamp = warnings.time(`${at}.timestamp`, sample.timestamp, 'Timestamp');
    const measured = {
      cpuPercent: read('cpuPercent'),
      memoryPercent: read('memoryPercent'),
      diskPercent: read('diskPercent'),
      netRxBytes: read('netRxBytes'),
      netTxBytes: read('netTxBytes'),
      loadAverage: read('loadAverage'),
    };
    warnings.addUnknown(sample.unknownFields, `${at}.`);
    if (timestamp) return [{ timestamp, ...measured }];
    if (sample.timestamp == null) warnings.add(at, 'A sample has a timestamp; it was left out');
    return [];
  });
}
