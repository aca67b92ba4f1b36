import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

// ReadyForQuery outside a transaction, with which the server ends each answer.
const idle = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

const patienceMs = 2_000;

/** A client and its server, joined. */
interface Line {
  isIdle: boolean;
  end(): void;
}

/**
 * One address behind which a PostgreSQL can be taken away and another put in its place, as at a planned failover: each
 * connection is cut between two transactions, unless one takes long.
 */
export class SwitchedAddress implements AsyncDisposable {
  private readonly lines = new Set<Line>();
  private target: number | undefined;
  private isCutting = false;
  private readonly server = createServer((client) => {
    if (this.target === undefined) client.destroy();
    else this.join(client, connect(this.target, '127.0.0.1'));
  });

  static async open(target: number): Promise<SwitchedAddress> {
    const address = new SwitchedAddress();
    address.target = target;
    address.server.listen(0, '127.0.0.1');
    await once(address.server, 'listening');
    return address;
  }

  /** The URL of the same database, reached through here. */
  through(url: string): string {
    const here = new URL(url);
    here.hostname = '127.0.0.1';
    here.port = String((this.server.address() as AddressInfo).port);
    return here.href;
  }

  /** Cuts every connection, and lets no new one in until `switchTo`. Resolves when none is left. */
  async cut(): Promise<void> {
    this.target = undefined;
    this.isCutting = true;
    for (const line of this.lines) if (line.isIdle) line.end();
    const late = setTimeout(() => {
      for (const line of this.lines) line.end();
    }, patienceMs);
    while (this.lines.size > 0) await once(this.server, 'line gone');
    clearTimeout(late);
  }

  switchTo(port: number): void {
    this.isCutting = false;
    this.target = port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const line of this.lines) line.end();
    this.server.close();
    await once(this.server, 'close');
  }

  private join(client: Socket, upstream: Socket): void {
    const line = {
      isIdle: false,
      end: () => {
        client.destroy();
        upstream.destroy();
      },
    };
    this.lines.add(line);
    client.on('data', () => (line.isIdle = false));
    upstream.on('data', (chunk: Buffer) => {
      if (chunk.includes(idle)) line.isIdle = true;
      // What was answered has to reach the client first.
      if (line.isIdle && this.isCutting) client.write('', line.end);
    });
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        line.end();
        this.lines.delete(line);
        this.server.emit('line gone');
      });
    }
  }
}
