import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import Stripe from 'stripe';

import { silentLogger } from '#platform/logger.js';
import { startStripeSandbox, type StripeSandbox, type StripeSandboxOptions } from '#sandbox/stripe/start.js';

import { TestClock } from './clock.js';

/** A webhook as it arrived. */
export interface Received {
  event: Stripe.Event;
  body: string;
  signature: string;
}

export interface SandboxWorld extends AsyncDisposable {
  sandbox: StripeSandbox;
  stripe: Stripe;
  clock: TestClock;
  /** What arrived at the webhook endpoint, in order. */
  received: Received[];
  /** What the endpoint answers from now on. */
  answerWith(status: number): void;
  webhookSecret: string;
}

/** Seconds since the epoch of a moment in UTC. */
export const seconds = (iso: string): number => Date.parse(`${iso}Z`) / 1000;

export function sdk(url: string, key: string, config: Stripe.StripeConfig = {}): Stripe {
  const { hostname, port } = new URL(url);
  return new Stripe(key, {
    host: hostname,
    port: Number(port),
    protocol: 'http',
    telemetry: false,
    ...config,
  });
}

/** A stand-in with an endpoint of its own, spoken to by the official SDK. */
export async function sandboxWorld(options: Partial<StripeSandboxOptions> = {}): Promise<SandboxWorld> {
  const received: Received[] = [];
  const webhookSecret = ['whsec', 'for', 'tests'].join('_');
  let status = 200;
  const endpoint = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      received.push({
        body,
        event: JSON.parse(body),
        signature: String(request.headers['stripe-signature']),
      });
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
  const clock = new TestClock();
  const sandbox = await startStripeSandbox({
    port: 0,
    clock,
    logger: silentLogger,
    webhook: {
      url: `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/hook`,
      secret: webhookSecret,
    },
    ...options,
  });
  return {
    sandbox,
    stripe: sdk(sandbox.url, sandbox.secretKey),
    clock,
    received,
    answerWith(wanted) {
      status = wanted;
    },
    webhookSecret,
    async [Symbol.asyncDispose]() {
      await sandbox.stop();
      endpoint.closeAllConnections();
      await new Promise((resolve) => endpoint.close(resolve));
    },
  };
}
