import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

// For the last bytes of an answer to leave, and for a request whose head is just arriving.
const lingerMs = 250;

/**
 * Ends an HTTP server so that nobody is cut off who need not be. Node's own `close` waits, without an end, for upgraded
 * sockets and for connections that have asked for nothing yet, and keeps connections alive whose answer was under way.
 * Made before the server takes its first connection.
 */
export class HttpDrain {
  private readonly sockets = new Set<Socket>();
  private readonly answers = new Set<ServerResponse>();
  private isAnnounced = false;
  private isClosing = false;

  constructor(private readonly server: Server) {
    server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    // First of all listeners: the header has to be there before anybody answers.
    server.prependListener('request', (_request, response) => {
      this.answers.add(response);
      if (this.isAnnounced) response.shouldKeepAlive = false;
      // It comes once.
      response.on('close', () => {
        this.answers.delete(response);
        if (this.isClosing) this.endIdle();
      });
    });
  }

  /** Requests are still taken, but every answer says `Connection: close`: the next request goes elsewhere. */
  announce(): void {
    this.isAnnounced = true;
    for (const answer of this.answers) if (!answer.headersSent) answer.shouldKeepAlive = false;
  }

  /**
   * Takes no new connections and waits for the requests under way. WebSockets are closed by whoever serves them; until
   * then this waits for them too.
   */
  async close(): Promise<void> {
    this.announce();
    this.isClosing = true;
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.endIdle();
    await closed;
  }

  /** Ends every connection at once. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private endIdle(): void {
    this.server.closeIdleConnections();
    if (this.answers.size > 0) return;
    setTimeout(() => {
      if (this.answers.size === 0) this.server.closeAllConnections();
    }, lingerMs).unref();
  }
}
