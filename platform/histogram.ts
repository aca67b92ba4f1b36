import type { Metric } from 'prom-client';

import { Series, type Labels } from './metric-series.js';

interface Counts {
  /** By bucket, each without those before it; what is above all bounds is in none. */
  buckets: number[];
  sum: number;
  count: number;
}

export interface HistogramOptions {
  name: string;
  help: string;
  labelNames: readonly string[];
  /** Upper bounds in seconds, ascending. */
  bounds: readonly number[];
}

/** Durations as Prometheus takes them, in the place of prom-client's, of which a request has two. */
export class Histogram {
  readonly name: string;
  private readonly series: Series<Counts>;

  constructor(private readonly options: HistogramOptions) {
    this.name = options.name;
    const make = () => ({ buckets: options.bounds.map(() => 0), sum: 0, count: 0 });
    this.series = new Series(options.labelNames, make);
  }

  observe(seconds: number, labels: Labels): void {
    const counts = this.series.at(labels);
    const { bounds } = this.options;
    counts.sum += seconds;
    counts.count += 1;
    for (let at = 0; at < bounds.length; at += 1) {
      if (seconds > bounds[at]!) continue;
      counts.buckets[at]! += 1;
      return;
    }
  }

  /** As prom-client's registry asks for it. */
  async get() {
    const { name, help, bounds } = this.options;
    const values = this.series.all().flatMap(({ labels, kept: { buckets, sum, count } }) => {
      let below = 0;
      const upTo = bounds.map((le, at) => {
        below += buckets[at]!;
        return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: below };
      });
      return [
        ...upTo,
        { metricName: `${name}_bucket`, labels: { le: '+Inf', ...labels }, value: count },
        { metricName: `${name}_sum`, labels, value: sum },
        { metricName: `${name}_count`, labels, value: count },
      ];
    });
    return { name, help, type: 'histogram', values };
  }

  /** As prom-client's registry takes it, whose type has much that only its own have. */
  asMetric(): Metric {
    return this as unknown as Metric;
  }
}
