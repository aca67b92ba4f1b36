import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { dataOf } from '../../../support/answers.js';
import type { Tenant } from '../../../support/world.js';

export interface ReceivedWebhook {
  id: string;
  /** Which of the receiver's secrets its signatures fit. */
  signedBy: string[];
  timestamp: number;
  body: { type: string; data: { alerts: { rule: string; instance_name: string; status: string }[] } };
}

/** A receiver of webhooks, as a customer writes one: it keeps its secrets, and checks each message by them. */
export class WebhookReceiver implements AsyncDisposable {
  readonly received: ReceivedWebhook[] = [];
  /** What the next messages are answered with; 204 when there is none left. */
  readonly answers: number[] = [];
  secrets: string[] = [];
  /** Takes messages and says nothing. */
  isSilent = false;
  /** So many were not answered at the same time. */
  mostOpen = 0;
  private open = 0;

  private constructor(private readonly server: Server) {}

  static async start(): Promise<WebhookReceiver> {
    const server = createServer();
    const receiver = new WebhookReceiver(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        receiver.take(request, Buffer.concat(chunks).toString());
        receiver.mostOpen = Math.max(receiver.mostOpen, ++receiver.open);
        response.on('close', () => (receiver.open -= 1));
        if (!receiver.isSilent) response.writeHead(receiver.answers.shift() ?? 204).end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hook`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private take({ headers }: IncomingMessage, body: string): void {
    const id = String(headers['webhook-id']);
    const timestamp = String(headers['webhook-timestamp']);
    const signatures = String(headers['webhook-signature']).split(' ');
    this.received.push({
      id,
      timestamp: Number(timestamp),
      signedBy: this.secrets.filter((secret) =>
        signatures.includes(`v1,${expectedSignature(secret, `${id}.${timestamp}.${body}`)}`),
      ),
      body: JSON.parse(body) as ReceivedWebhook['body'],
    });
  }
}

function expectedSignature(secret: string, signed: string): string {
  return createHmac('sha256', Buffer.from(secret.replace('whsec_', ''), 'base64'))
    .update(signed)
    .digest('base64');
}

export const createWebhook = `mutation($input: CreateWebhookChannelInput!) {
  createWebhookChannel(input: $input) { secret channel { id kind url isEnabled } }
}`;
interface Created {
  createWebhookChannel: { secret: string; channel: { id: string } };
}

/** Has alerts of the tenant sent to the receiver, which gets to know the secret; answers the channel's id. */
export async function subscribe(
  tenant: Tenant,
  receiver: WebhookReceiver,
  more: object = {},
): Promise<string> {
  const input = { name: 'ops', url: receiver.url, ...more };
  const { createWebhookChannel } = dataOf(await tenant.graphql<Created>(createWebhook, { input }));
  receiver.secrets.push(createWebhookChannel.secret);
  return createWebhookChannel.channel.id;
}

export interface Delivery {
  id: string;
  status: string;
  attempts: { statusCode: number | null; error: string | null }[];
}

export async function deliveries(tenant: Tenant): Promise<Delivery[]> {
  const answer = await tenant.graphql<{ notificationDeliveries: { nodes: Delivery[] } }>(
    '{ notificationDeliveries { nodes { id status attempts { statusCode error } } } }',
  );
  return dataOf(answer).notificationDeliveries.nodes;
}
