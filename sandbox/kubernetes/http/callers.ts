import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';

import type { User } from '../access.js';

export interface Token {
  user: string;
  /** Milliseconds. */
  expiresAt: number;
}

export interface Caller extends User {
  name: string;
}

/** Users by name, and the tokens by which they come; certificates name their user themselves. */
export class Callers {
  readonly users = new Map<string, User>();
  readonly tokens = new Map<string, Token>();

  /** Who asks; undefined for nobody that is known here. */
  identify(request: IncomingMessage, now: number): Caller | undefined {
    const socket = request.socket as TLSSocket;
    const [, token = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
    const found = this.tokens.get(token);
    if (found && found.expiresAt > now) return this.named(found.user);
    if (token !== '' || !socket.authorized) return undefined;
    const { subject, valid_from: from, valid_to: to } = socket.getPeerCertificate();
    if (Date.parse(from) > now || Date.parse(to) <= now) return undefined;
    return this.named(String(subject.CN));
  }

  private named(name: string): Caller | undefined {
    const user = this.users.get(name);
    return user && { ...user, name };
  }
}
