import type { Socket } from 'node:net';
import { DEFAULT_CIPHERS, type SecureContextOptions } from 'node:tls';

import { Agent, buildConnector } from 'undici';

import { pinnedLookup, type TargetGuard } from './guard.js';

export interface DispatcherOptions {
  connectTimeoutMs: number;
  /** Certificates of the other end's authority, or of our own. */
  tls?: Pick<SecureContextOptions, 'ca' | 'cert' | 'key'> | undefined;
}

/**
 * Without those for which the other end makes up the numbers of the key exchange: numbers of ten thousand bits would keep
 * the thread that serves everybody for most of a second. Who knows TLS since 2008 knows others.
 */
const ciphers = `${DEFAULT_CIPHERS}:!kDHE`;

/**
 * An undici dispatcher that can only connect to what the guard lets through, for our own client and for libraries that
 * take one. Each connection resolves its host once, checks the addresses and goes to those very ones, so that a name
 * that answers differently the next moment changes nothing. The proxies of the environment are not used.
 */
export function createGuardedDispatcher(guard: TargetGuard, options: DispatcherOptions): Agent {
  const connect = async (target: buildConnector.Options): Promise<Socket> => {
    const addresses = await guard.addressesOf(target.hostname);
    const connector = buildConnector({
      ...options.tls,
      ciphers,
      lookup: pinnedLookup(addresses),
      autoSelectFamily: true,
      timeout: options.connectTimeoutMs,
      maxCachedSessions: 0,
      allowH2: false,
    });
    return new Promise((resolve, reject) => {
      connector(target, (...[error, socket]) => (error ? reject(error) : resolve(socket as Socket)));
    });
  };
  return new Agent({
    connect: (target, callback) => {
      connect(target).then(
        (socket) => callback(null, socket),
        (error: Error) => callback(error, null),
      );
    },
    connections: 32,
    // A name is checked when its connection is made; this bounds how long an old answer stays in use.
    keepAliveMaxTimeout: 30_000,
    maxHeaderSize: 32 * 1024,
    // The caller's own deadline covers the whole exchange.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}
