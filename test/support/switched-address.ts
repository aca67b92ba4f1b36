import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** One address behind which a server can be taken away and another put in its place, as a proxy does at a failover. */
export class SwitchedAddress implements AsyncDisposable {
  private readonly sockets = new Set<Socket>();
  private target: number | undefined;
  private fatal: { texts: readonly string[]; isFrozen: boolean; cut: () => void } | undefined;
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

  /** Cuts the next connection whose client has said these texts, one after the other, once the server was told too. */
  async cutAfter(...texts: string[]): Promise<void> {
    return new Promise((cut) => (this.fatal = { texts, isFrozen: false, cut }));
  }

  /** The same, but that the client is left without a word, as by a server that is frozen. */
  async freezeAfter(...texts: string[]): Promise<void> {
    return new Promise((cut) => (this.fatal = { texts, isFrozen: true, cut }));
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
    let said = '';
    client.prependListener('data', (chunk: Buffer) => {
      const { fatal } = this;
      said = fatal ? said + chunk.toString('latin1') : '';
      if (!fatal || !hasInOrder(said, fatal.texts)) return;
      this.fatal = undefined;
      // What the server answers is for nobody.
      upstream.unpipe(client);
      client.unpipe(upstream);
      if (!fatal.isFrozen) upstream.end(chunk, () => client.destroy());
      fatal.cut();
    });
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

function hasInOrder(said: string, texts: readonly string[]): boolean {
  let at = 0;
  return texts.every((text) => {
    at = said.indexOf(text, at) + text.length;
    return at >= text.length;
  });
}
