import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey, type JWTPayload } from 'jose';

/** What the provider does otherwise than a panel would, for one sign-in. */
export interface Fault {
  claims?: JWTPayload;
  /** Seconds by which the assertion ends in the past. */
  endedAgo?: number;
  kid?: string;
  unsigned?: boolean;
  /** Signs with a key that is not published, under the published one's name. */
  otherKey?: boolean;
}

/** A provider that speaks the panel's protocol over real HTTP on loopback, and lies as a test asks it to. */
export class StandInProvider implements AsyncDisposable {
  fault: Fault = {};
  /** What it calls itself; its address unless told. */
  issuer: string;
  /** How often its document was read. */
  reads = 0;
  /** What was asked for, by the code that answers it. */
  private readonly asked = new Map<string, URLSearchParams>();

  private constructor(
    readonly url: string,
    private readonly server: Server,
    private readonly keys: { published: CryptoKey; jwk: object; other: CryptoKey },
  ) {
    this.issuer = url;
  }

  static async start(): Promise<StandInProvider> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const [published, other] = [await generateKeyPair('ES256'), await generateKeyPair('ES256')];
    const jwk = { ...(await exportJWK(published.publicKey)), kid: 'key_1', alg: 'ES256', use: 'sig' };
    const { port } = server.address() as AddressInfo;
    const keys = { published: published.privateKey, other: other.privateKey, jwk };
    const provider = new StandInProvider(`http://127.0.0.1:${port}`, server, keys);
    server.on('request', (request: IncomingMessage, response) => {
      void provider
        .answer(request)
        .then((body) =>
          response
            .writeHead(body ? 200 : 404, { 'content-type': 'application/json' })
            .end(JSON.stringify(body ?? {})),
        );
    });
    return provider;
  }

  /** The user agrees at once: where the provider sends the browser that the node has sent here. */
  agree(location: string): string {
    const request = new URL(location).searchParams;
    const code = `code-${this.asked.size}`;
    this.asked.set(code, request);
    const answer = { code, state: request.get('state') ?? '', iss: this.issuer };
    return `${request.get('redirect_uri')}?${new URLSearchParams(answer).toString()}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private async answer(request: IncomingMessage): Promise<object | undefined> {
    const { url = '' } = request;
    switch (url) {
      case '/.well-known/oauth-authorization-server':
        this.reads += 1;
        return {
          issuer: this.issuer,
          authorization_endpoint: `${this.url}/authorize`,
          token_endpoint: `${this.url}/token`,
          jwks_uri: `${this.url}/jwks`,
        };
      case '/jwks':
        return { keys: [this.keys.jwk] };
      case '/token':
        return {
          id_token: await this.assertion(new URLSearchParams(await text(request))),
          token_type: 'Bearer',
        };
      default:
        return undefined;
    }
  }

  private async assertion(form: URLSearchParams): Promise<string> {
    const asked = this.asked.get(form.get('code') ?? '');
    const { claims, endedAgo, kid = 'key_1', unsigned, otherKey } = this.fault;
    const now = Math.floor(Date.now() / 1000);
    const all = {
      iss: this.issuer,
      aud: asked?.get('client_id') ?? '',
      sub: 'usr_1',
      nonce: asked?.get('nonce'),
      iat: now - (endedAgo ?? 0) - 300,
      exp: endedAgo === undefined ? now + 300 : now - endedAgo,
      email: 'someone@example.com',
      name: 'Someone',
      tenant: 'org_1',
      role: 'owner',
      ...claims,
    };
    if (unsigned) return new UnsecuredJWT(all).encode();
    return new SignJWT(all)
      .setProtectedHeader({ alg: 'ES256', kid, typ: 'JWT' })
      .sign(otherKey ? this.keys.other : this.keys.published);
  }
}
