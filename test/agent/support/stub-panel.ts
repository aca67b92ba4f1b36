import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Call {
  readonly authorization: string | undefined;
  /** The idempotency key. */
  readonly key?: string;
  readonly body: Record<string, unknown>;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** Text is sent as it is, anything else as JSON; 'hang up' closes the connection without a word. */
  readonly body?: unknown;
}

/** A panel over real HTTP on loopback: it keeps what it is told, and answers as a test scripts it. */
export class StubPanel {
  heartbeatSeconds = 30;
  readonly enrollments: Call[] = [];
  readonly beats: Call[] = [];
  readonly departures: Call[] = [];
  readonly results: Call[] = [];
  readonly overlaps: number[] = [];
  readonly #scripts = { enroll: [] as Answer[], heartbeat: [] as Answer[], result: [] as Answer[] };
  #standing: Answer | undefined;
  #open = 0;

  private constructor(
    private readonly server: ReturnType<typeof createServer>,
    readonly url: string,
  ) {}

  static async start(): Promise<StubPanel> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const panel = new StubPanel(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on('request', (request, response) => void panel.#serve(request, response));
    return panel;
  }

  /** The answers to the next calls; afterwards the panel is itself again. */
  script(route: 'enroll' | 'heartbeat' | 'result', ...answers: Answer[]): void {
    this.#scripts[route].push(...answers);
  }

  /** The answer to every beat until told otherwise. */
  always(answer: Answer | undefined): void {
    this.#standing = answer;
  }

  accepting(more: Record<string, unknown> = {}): Answer {
    const server_time = '2026-05-01T12:00:00Z';
    return { body: { server_time, heartbeat_seconds: this.heartbeatSeconds, commands: [], ...more } };
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // It speaks no GraphQL: an agent that would listen for commands has to do without.
    if (request.method !== 'POST') return void response.writeHead(404).end();
    this.#open += 1;
    this.overlaps.push(this.#open);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>;
    const { authorization, 'idempotency-key': key } = request.headers;
    const call = { authorization, body, ...(typeof key === 'string' ? { key } : {}) };
    const answer = this.#answer(`${request.method} ${request.url}`, call);
    this.#open -= 1;
    if (answer.body === 'hang up') return void request.socket.destroy();
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
    response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
  }

  #answer(route: string, call: Call): Answer {
    if (route === 'POST /api/agent/enroll') {
      this.enrollments.push(call);
      // Of one key it is one instance.
      const number = new Set(this.enrollments.map(({ key }) => key)).size;
      const body = {
        instance_id: `inst_${number}`,
        credential: `cred_${number}`,
        heartbeat_seconds: this.heartbeatSeconds,
      };
      return this.#scripts.enroll.shift() ?? { status: 201, body };
    }
    if (route === 'POST /api/agent/heartbeat') {
      this.beats.push(call);
      return this.#scripts.heartbeat.shift() ?? this.#standing ?? this.accepting();
    }
    if (route === 'POST /api/agent/departure') {
      this.departures.push(call);
      return { status: 204 };
    }
    if (/^POST \/api\/agent\/commands\/[^/]+\/result$/.test(route)) {
      this.results.push(call);
      return this.#scripts.result.shift() ?? { status: 204 };
    }
    return { status: 404, body: { error: `No ${route}` } };
  }
}
