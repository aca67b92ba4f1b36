import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** One address behind which a server can be taken away and another put in its place, as a proxy does at a failover. */
export class SwitchedAddress implements AsyncDisposable {
  private readonly sockets = new Set<Socket>();
  private target: number | undefined;
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

  /** Cuts every connection, wherever it is, and lets no new one in until `switchTo`. */
  cut(): void {
    this.target = undefined;
    for (const socket of this.sockets) socket.destroy();
  }

  switchTo(port: number): void {
    this.target = port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  private join(client: Socket, upstream: Socket): void {
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
  }
}
