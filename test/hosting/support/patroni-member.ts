import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Told {
  name: string;
  role: string;
  state: string;
  lag?: number;
  timeline?: number;
}

/** A stand-in for the REST interface of one of Patroni's members, for what no cluster does when a test wants it. */
export class PatroniMember implements AsyncDisposable {
  /** What it was asked, in order. */
  readonly asked: string[] = [];
  members: Told[] = [
    { name: 'pg-1', role: 'leader', state: 'running' },
    { name: 'pg-2', role: 'replica', state: 'streaming', lag: 0 },
  ];
  isPaused = false;
  /** Its configuration. */
  config: { synchronous_mode?: boolean } = {};
  /** What it does before it answers that another one leads. */
  onSwitch: () => Promise<void> = async () => undefined;
  private port = 0;
  private readonly server = createServer((request, response) => {
    void this.answer(`${request.method} ${request.url}`).then(([status, text]) =>
      response.writeHead(status, { connection: 'close' }).end(text),
    );
  });

  static async start(): Promise<PatroniMember> {
    const member = new PatroniMember();
    await member.open();
    member.port = (member.server.address() as AddressInfo).port;
    return member;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Another one leads. */
  lead(leader: string): void {
    this.members = this.members.map(({ name }) =>
      name === leader
        ? { name, role: 'leader', state: 'running' }
        : { name, role: 'replica', state: 'streaming', lag: 0 },
    );
  }

  /** At the same address as before. */
  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(this.port, '127.0.0.1', resolve));
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.server.listening) await this.close();
  }

  private async answer(what: string): Promise<[status: number, text: string]> {
    this.asked.push(what);
    if (what === 'GET /cluster') {
      const pause = this.isPaused ? { pause: true } : {};
      return [200, JSON.stringify({ members: this.members, ...pause })];
    }
    if (what === 'GET /config') return [200, JSON.stringify(this.config)];
    if (what === 'GET /history') return [200, '[]'];
    if (what !== 'POST /switchover' && what !== 'POST /failover') return [404, ''];
    await this.onSwitch();
    return [200, 'Successfully switched over'];
  }
}
