import {
  createServer,
  IncomingMessage,
  ServerResponse,
  type RequestListener,
  type Server,
  type ServerOptions,
} from 'node:http';
import type { Socket } from 'node:net';

/** How long an idle connection is kept, unless told: longer than the 60 s after which most proxies end theirs. */
export const defaultKeepAliveSeconds = 75;

// As haproxy has it. A slow reader takes something in less; whoever takes nothing is gone, or wants it to be kept.
const unreadMs = 60_000;

/**
 * An HTTP server as every process of the panel has it. Whoever ends idle connections before `keepAliveSeconds` are over,
 * as a proxy in front should, never sends a request into one that is just being closed. An answer of which nothing was
 * taken for `longestUnreadMs` is given up, and its connection with it.
 */
export function createHttpServer(
  listener: RequestListener,
  keepAliveSeconds: number = defaultKeepAliveSeconds,
  longestUnreadMs = unreadMs,
): Server {
  const server = createServer(
    {
      ...kindsOf(listener),
      keepAliveTimeout: keepAliveSeconds * 1000,
      // Before this Node kept a connection no longer than headers may take, whatever it had promised.
      headersTimeout: Math.max(60, keepAliveSeconds + 5) * 1000,
      // The longest body is 1 MiB. Node would hold what has come of it for five minutes.
      requestTimeout: Math.max(60, keepAliveSeconds + 5) * 1000,
      // Others (h2c, which Java's and curl's clients offer by themselves) are declined by an answer over HTTP/1.1.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
    },
    listener,
  );
  return server.prependListener('request', (_request, response) => {
    response.setTimeout(longestUnreadMs).on('timeout', giveUpUnread);
  });
}

/** Called when nothing came and went for the time: Node looks at how much it still has to send, and not at what it was given. */
function giveUpUnread(socket: Socket): void {
  if (socket.writableLength > 0) socket.destroy();
  // The answer is yet to be made, or one that comes in parts.
  else socket.setTimeout(socket.timeout ?? unreadMs);
}

type Kinds = Pick<ServerOptions, 'IncomingMessage' | 'ServerResponse'>;

/**
 * Express gives each request and answer its own prototype, which makes every later access to them slow. Here they are
 * made with it, so that there is nothing left to change.
 */
function kindsOf(listener: RequestListener & { request?: object; response?: object }): Kinds {
  const { request, response } = listener;
  return request && response
    ? { IncomingMessage: madeAs(IncomingMessage, request), ServerResponse: madeAs(ServerResponse, response) }
    : {};
}

/** The same class, but for the prototype of what it makes. */
function madeAs<Made extends object>(type: Made, prototype: object): Made {
  function Kind(...args: unknown[]): unknown {
    return Reflect.construct(type as unknown as () => void, args, Kind);
  }
  Kind.prototype = prototype;
  return Kind as unknown as Made;
}
