import type { Duplex } from 'node:stream';

import type { WebSocket } from 'ws';

import { closeCodes, type Closing } from './close-codes.js';

export interface UnfinishedLimits {
  /** Bytes of one message of a client that is not signed in. */
  strangerBytes: number;
  /** How long a message may take from its first byte to its last. */
  messageWithinMs: number;
  /** Bytes of messages that are not whole, of all sockets together. */
  unfinishedBytes: number;
}

interface Watched {
  socket: WebSocket;
  /** What its bytes come by. */
  stream: Duplex;
  isStranger: () => boolean;
  end: (closing: Closing) => void;
}

// A control frame of a client: two bytes of its head and four of its mask.
const frameBytes = 6;

/**
 * Bounds what of messages has come and is not whole: ws keeps it until then, and nobody has paid for it. Bytes are counted
 * as they come by the wire, so that fragments count as well.
 */
export class UnfinishedMessages {
  private total = 0;

  constructor(private readonly limits: UnfinishedLimits) {}

  watch({ socket, stream, isStranger, end }: Watched): void {
    const { strangerBytes, messageWithinMs, unfinishedBytes } = this.limits;
    let bytes = 0;
    let timer: NodeJS.Timeout | undefined;
    const count = (now: number) => {
      this.total += now - bytes;
      bytes = now;
      if (bytes > 0) timer ??= setTimeout(() => end(closeCodes.tooSlow), messageWithinMs);
      else {
        clearTimeout(timer);
        timer = undefined;
      }
    };
    const take = (chunk: Buffer) => {
      count(bytes + chunk.length);
      if (isStranger() && bytes > strangerBytes) end(closeCodes.tooLarge);
      // Whoever has little of it unfinished is none of those that it is about.
      else if (this.total > unfinishedBytes && bytes > strangerBytes) end(closeCodes.tryAgain);
    };
    const pass = (data: Buffer) => count(Math.max(0, bytes - data.length - frameBytes));
    // Before ws, which tells at once of what is whole by it.
    stream.prependListener('data', take);
    socket.on('message', () => count(0));
    socket.on('ping', pass);
    socket.on('pong', pass);
    socket.once('close', () => {
      stream.off('data', take);
      count(0);
    });
  }
}
