import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import { onTestFinished } from 'vitest';

/**
 * What a proxy that was asked does next: its work, or nothing at all, or nothing after it has let one through; it hangs up
 * before or after that, speaks no HTTP, or lets through to what speaks no TLS; or it answers with a status.
 */
type Mood =
  | 'at work'
  | 'silent'
  | 'silent behind'
  | 'hanging up'
  | 'hanging up behind'
  | 'no HTTP'
  | 'no TLS behind'
  | number;

/** A forward proxy as companies have them: it demands a name and a password, and alone knows the names of the world. */
export class ForwardProxy {
  /** What it was asked for, as `CONNECT name:port`, with the credentials that came along. */
  readonly asked: { what: string; authorization: string | undefined }[] = [];
  mood: Mood = 'at work';
  private readonly sockets = new Set<Duplex>();

  private constructor(
    private readonly server: ReturnType<typeof createServer>,
    private readonly names: Readonly<Record<string, number>>,
    private readonly login: string,
  ) {}

  /** `names` are hosts, and the ports of loopback that they stand for. */
  static async start(names: Record<string, number> = {}, login = 'node:s3cr@t'): Promise<ForwardProxy> {
    const server = createServer();
    const proxy = new ForwardProxy(server, names, login);
    server.on('connect', (asking, socket, head) => proxy.tunnel(asking, socket, head));
    server.on('request', (asking, answer) => proxy.pass(asking, answer));
    server.on('connection', (socket: Socket) => proxy.keep(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => proxy.stop());
    return proxy;
  }

  /** Its address, with what lets in. */
  url(login = this.login): string {
    const { port } = this.server.address() as AddressInfo;
    const [name = '', password = ''] = login.split(':').map(encodeURIComponent);
    return `http://${login === '' ? '' : `${name}:${password}@`}127.0.0.1:${port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    if (!this.server.listening) return;
    this.server.close();
    await once(this.server, 'close');
  }

  private keep(socket: Duplex): void {
    this.sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.sockets.delete(socket));
  }

  /** Whether it has said no, or says nothing. */
  private isDone({ method, url, headers }: IncomingMessage, refuse: (status: number) => void): boolean {
    const authorization = headers['proxy-authorization'];
    this.asked.push({ what: `${method} ${url}`, authorization });
    if (this.mood === 'silent') return true;
    const isKnown = authorization === `Basic ${Buffer.from(this.login).toString('base64')}`;
    const status = typeof this.mood === 'number' ? this.mood : isKnown ? undefined : 407;
    if (status === undefined) return false;
    refuse(status);
    return true;
  }

  private tunnel(asking: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.isDone(asking, (status) => socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`)))
      return;
    if (this.mood === 'hanging up') return void socket.destroy();
    if (this.mood === 'no HTTP') return void socket.end('SSH-2.0-OpenSSH_9.2\r\n');
    const { hostname, port } = new URL(`http://${asking.url}`);
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    if (this.mood === 'silent behind') return;
    if (this.mood === 'hanging up behind') return void socket.destroy();
    if (this.mood === 'no TLS behind') return void socket.end('<html>It works</html>');
    const upstream = connect(this.names[hostname] ?? Number(port), '127.0.0.1');
    this.keep(upstream);
    if (head.length > 0) upstream.write(head);
    socket.pipe(upstream).pipe(socket);
    upstream.on('close', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
  }

  private pass(asking: IncomingMessage, answer: ServerResponse): void {
    if (this.isDone(asking, (status) => answer.writeHead(status).end())) return;
    const { 'proxy-authorization': _, ...headers } = asking.headers;
    const to = request(asking.url!, { method: asking.method, headers }, (from) => {
      answer.writeHead(from.statusCode!, from.headers);
      from.pipe(answer);
    });
    to.on('error', () => answer.writeHead(502).end());
    asking.pipe(to);
  }
}
