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
    const latencies: number[] = [];
    let failures = 0;
    const start = performance.now();
    const end = start + ms;
    const worker = async () => {
      while (performance.now() < end) {
        const { path, method = 'POST', headers, body } = await this.request(this.sequence++);
        const sent = performance.now();
        const answer = await this.pool.request({ path, method, headers, body: body ?? null });
        await answer.body.dump({ limit: 1e9 });
        if (answer.statusCode !== 200) failures += 1;
        else latencies.push(performance.now() - sent);
      }
    };
    await Promise.all(Array.from({ length: this.connections }, worker));
    const seconds = (performance.now() - start) / 1000;
    const sorted = latencies.toSorted((a, b) => a - b);
    const at = (q: number) =>
      sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
    return {
      rate: latencies.length / seconds,
      p50: at(0.5),
      p99: at(0.99),
      failures,
      answered: latencies.length,
    };
  }

  async stop(): Promise<void> {
    await this.pool.close();
  }
}
