import { setTimeout as sleep } from 'node:timers/promises';

import { Pool } from 'undici';

export interface LoadSample {
  /** Requests answered per second. */
  rate: number;
  p50: number;
  p99: number;
  failures: number;
  answered: number;
}

export interface LoadRequest {
  path: string;
  method?: 'GET' | 'POST';
  headers: Record<string, string>;
  body?: string;
}

/** Asks as fast as answers come, over `connections` connections, for `ms`. */
export class Load {
  private readonly pool: Pool;
  private sequence = 0;

  constructor(
    url: string,
    private readonly connections: number,
    /** A promise where something has to be so before it is sent. */
    private readonly request: (sequence: number) => LoadRequest | Promise<LoadRequest>,
  ) {
    this.pool = new Pool(url, { connections, pipelining: 1 });
  }

  async run(ms: number): Promise<LoadSample> {
    const taken = new Taken();
    const end = performance.now() + ms;
    const worker = async () => {
      while (performance.now() < end) taken.add(performance.now(), await this.ask());
    };
    await Promise.all(Array.from({ length: this.connections }, worker));
    return taken.sample();
  }

  /**
   * Asks `rate` times a second for `ms`, at random times that do not wait for answers: as many clients do who know nothing
   * of each other. Latencies count from when a request was due.
   */
  async steady(rate: number, ms: number): Promise<LoadSample> {
    const taken = new Taken();
    const under: Promise<void>[] = [];
    const start = performance.now();
    for (let due = start; due < start + ms; due += (-Math.log(1 - Math.random()) * 1000) / rate) {
      const wait = due - performance.now();
      if (wait > 0) await sleep(wait);
      const sent = due;
      under.push(this.ask().then((status) => taken.add(sent, status)));
    }
    await Promise.all(under);
    return taken.sample();
  }

  private async ask(): Promise<number> {
    const { path, method = 'POST', headers, body } = await this.request(this.sequence++);
    const answer = await this.pool.request({ path, method, headers, body: body ?? null });
    await answer.body.dump({ limit: 1e9 });
    return answer.statusCode;
  }

  async stop(): Promise<void> {
    await this.pool.close();
  }
}

class Taken {
  private readonly latencies: number[] = [];
  private readonly start = performance.now();
  private failures = 0;

  add(since: number, status: number): void {
    if (status === 200) this.latencies.push(performance.now() - since);
    else this.failures += 1;
  }

  sample(): LoadSample {
    const { latencies, failures } = this;
    const sorted = latencies.toSorted((a, b) => a - b);
    const at = (q: number) =>
      sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
    return {
      rate: (latencies.length * 1000) / (performance.now() - this.start),
      p50: at(0.5),
      p99: at(0.99),
      failures,
      answered: latencies.length,
    };
  }
}
