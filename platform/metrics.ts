import { setTimeout as sleep } from 'node:timers/promises';

import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

import { ApiError } from './errors.js';
import { Histogram } from './histogram.js';
import { Series, type Labels } from './metric-series.js';

/** A value at the moment of a scrape. */
export interface Reading {
  labels?: Labels;
  value: number;
}

export type Read = () => readonly Reading[] | Promise<readonly Reading[]>;

interface Measured {
  gauge: Gauge;
  hasLabels: boolean;
  reads: Reader[];
}

interface Reader {
  read: Read;
  /** While it lasts no second one is begun: a database that is away must not be asked more and more. */
  running?: Promise<readonly Reading[]> | undefined;
}

const readWithinMs = 2_000;

let ofNode: Registry | undefined;

/** What Node tells of the process, made once for it: it is measured by a timer and observers that never end. */
function nodeMetrics(): Registry {
  if (!ofNode) collectDefaultMetrics({ register: (ofNode = new Registry()) });
  return ofNode;
}

/**
 * What one process counts, for Prometheus; handed to whoever has something to count. Names begin with `panel_` and end
 * with their unit, counters with `_total`. Labels have few values: kinds and outcomes, never a tenant or an instance.
 * Two that ask for the same name share it.
 */
export class Metrics {
  private readonly registry = new Registry();
  private readonly measured = new Map<string, Measured>();
  private readonly counters = new Map<string, Series<{ counted: number }>>();
  private readonly failures: (labels: Labels) => void;
  private scrape: Promise<string> | undefined;

  constructor() {
    this.failures = this.counter(
      'panel_metrics_failures_total',
      'Metrics that could not be read at a scrape in time, and were left out.',
      ['metric'],
    );
  }

  /** Adds what Node tells of the process. */
  withProcess(): this {
    const ofProcess = nodeMetrics();
    for (const { name } of ofProcess.getMetricsAsArray()) {
      this.registry.registerMetric(ofProcess.getSingleMetric(name)!);
    }
    return this;
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /**
   * Answers how to count one more. What is in `from` is told as 0 before it was counted: a series that begins with its first
   * count is no increase to Prometheus, and an alert about something rare would never hear of it.
   */
  counter(
    name: string,
    help: string,
    labelNames: readonly string[],
    from: readonly Labels[] = [],
  ): (labels: Labels) => void {
    let since = this.counters.get(name);
    if (!since) {
      // What came since the last scrape: a request counts several times.
      const series = new Series(labelNames, () => ({ counted: 0 }));
      // Registered by being made.
      new Counter({
        name,
        help,
        labelNames: [...labelNames],
        registers: [this.registry],
        collect() {
          for (const { labels, kept } of series.all()) {
            this.inc(labels, kept.counted);
            kept.counted = 0;
          }
        },
      });
      this.counters.set(name, (since = series));
    }
    const series = since;
    for (const labels of from) series.at(labels);
    return (labels) => void (series.at(labels).counted += 1);
  }

  /** Something that lasts; answers how to note one, in seconds. */
  histogram(
    name: string,
    help: string,
    labelNames: readonly string[],
    buckets: readonly number[],
  ): (seconds: number, labels: Labels) => void {
    const histogram = new Histogram({ name, help, labelNames, bounds: buckets });
    this.registry.registerMetric(histogram.asMetric());
    return (seconds, labels) => histogram.observe(seconds, labels);
  }

  /** A value that is read at each scrape. One that fails or takes longer than two seconds is left out of that scrape. */
  gauge(name: string, help: string, labelNames: readonly string[], read: Read): void {
    const measured = this.measured.get(name) ?? {
      gauge: new Gauge({ name, help, labelNames: [...labelNames], registers: [this.registry] }),
      hasLabels: labelNames.length > 0,
      reads: [],
    };
    measured.reads.push({ read });
    this.measured.set(name, measured);
  }

  /** Everything in the text format of Prometheus. Scrapes at the same time share one reading. */
  async text(): Promise<string> {
    this.scrape ??= this.measure().finally(() => (this.scrape = undefined));
    return this.scrape;
  }

  private async measure(): Promise<string> {
    await Promise.all(
      [...this.measured].map(async ([metric, { gauge, hasLabels, reads }]) => {
        gauge.reset();
        // One without labels would be 0 where there is nothing to tell.
        if (!hasLabels) gauge.remove({});
        const answers = await Promise.allSettled(reads.map(readInTime));
        for (const answer of answers) {
          if (answer.status === 'rejected') this.failures({ metric });
          else for (const { labels = {}, value } of answer.value) gauge.set(labels, value);
        }
      }),
    );
    return this.registry.metrics();
  }
}

async function readInTime(reader: Reader): Promise<readonly Reading[]> {
  reader.running ??= Promise.resolve()
    .then(reader.read)
    .finally(() => (reader.running = undefined));
  const over = new AbortController();
  try {
    return await Promise.race([
      reader.running,
      sleep(readWithinMs, undefined, { signal: over.signal, ref: false }).then(() => {
        throw new Error('it took too long to read');
      }),
    ]);
  } finally {
    over.abort();
  }
}

/** The outcome of something as a label: `ok`, or the code it was refused with; `INTERNAL` for what is no refusal. */
export function outcomeOf(error?: unknown): string {
  if (error === undefined) return 'ok';
  return error instanceof ApiError ? error.code : 'INTERNAL';
}
